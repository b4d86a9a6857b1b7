"""Set order: small sets that began with one element in every run, and a run that changes that.

Synopsis:
    steps_with_sets(experiment)               # where there may be any, by the source alone
    alike = in_one_order(sets, hash_seeds)    # those that no run so far has reordered
    reordering(alike, names)                  # the name of a run under which most of them are

Two hash seeds leave a set of two texts in the same order in half of all cases, one of three in a
fifth: so runs that agree say nothing of a small set. Its order follows from its elements, the order
in which they were put in, and the seed; it is had from a Python that is started with that seed.
"""

from __future__ import annotations

import ast
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.core.digest import files_below
from repro.launch.drawn_values import hash_seed

Order = tuple[str, ...]

STEPS = ("prepare", "train", "evaluate")
_OF_FUNCTION = {
    "dataset": ("prepare",), "fit_preprocessing": ("prepare",), "model": ("train", "evaluate"),
    "augment": ("train",), "callbacks": ("train",), "class_weight": ("train",),
}  # fmt: skip
_MAKING = {"set", "frozenset"}
_METHODS = {"union", "intersection", "difference", "symmetric_difference"}
_VIEWS = {"keys", "items"}
_HARMLESS = {"sorted", "len", "any", "all", "set", "frozenset", "isinstance"}
_EXHAUSTIVE = 3
"""So many elements are put in in every order: of more, only in some."""

_ORDERING = """
import ast, json, sys
sets = json.load(sys.stdin)
print(json.dumps([[[repr(v) for v in set(map(ast.literal_eval, way))] for way in ways]
                  for ways in sets]))
"""


@dataclass(frozen=True)
class NotedSet:
    """A set that the user's code iterated over: where, and its elements as they came."""

    file: str
    line: int
    order: Order

    @property
    def known(self) -> bool:
        """Whether its order under another seed can be foretold: of plain text, and tuples of it."""
        try:
            values = [ast.literal_eval(element) for element in self.order]
            return len(set(values)) == len(values) and tuple(map(repr, values)) == self.order
        except (ValueError, SyntaxError, TypeError):  # no literal, or one that is not hashable
            return False

    def ways(self) -> list[Order]:
        """Orders in which its elements may have been put in."""
        if len(self.order) <= _EXHAUSTIVE:
            return list(itertools.permutations(self.order))
        return [self.order, self.order[::-1], tuple(sorted(self.order))]


def noted(detail: Mapping[str, Any]) -> list[NotedSet]:
    """The sets that a watched trial noted in its detail.json."""
    return [
        NotedSet(entry["file"], entry["line"], tuple(order))
        for entry in detail.get("sets", ())
        for order in entry["orders"]
    ]


def steps_with_sets(experiment: Path) -> list[str]:
    """The steps whose code, a file or a folder of Python, may iterate over a set.

    As far as its source shows: a set that is only asked for members, counted or sorted is passed
    over; one that a library returns is not seen.
    """
    files = [file for _, file in files_below(experiment)] if experiment.is_dir() else [experiment]
    steps = {step for file in files if file.suffix == ".py" for step in _steps_in(file)}
    return [step for step in STEPS if step in steps]


def _steps_in(file: Path) -> Iterator[str]:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for part in tree.body:
        if any(_makes_set(node) for node in _without_harmless(part)):
            name = part.name if isinstance(part, ast.FunctionDef) else ""
            yield from _OF_FUNCTION.get(name, STEPS)


def _without_harmless(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it, but for sets whose order plays no part where they stand."""
    yield node
    passed: list[ast.AST] = []
    if isinstance(node, ast.Compare):
        pairs = zip(node.ops, node.comparators, strict=True)
        passed = [right for op, right in pairs if isinstance(op, (ast.In, ast.NotIn))]
    elif isinstance(node, ast.Call) and getattr(node.func, "id", None) in _HARMLESS:
        passed = [] if node.keywords else [*node.args]
    for child in ast.iter_child_nodes(node):
        if child in passed and _makes_set(child):
            for inner in _parts(child):
                yield from _without_harmless(inner)
        else:
            yield from _without_harmless(child)


def _parts(making: ast.AST) -> Iterator[ast.AST]:
    """What stands inside an expression that makes a set, without the name that makes it one."""
    called = getattr(making, "func", making)
    for inner in ast.iter_child_nodes(making):
        if inner is not called:
            yield inner
    if isinstance(called, ast.Attribute):
        yield called.value


def _makes_set(node: ast.AST) -> bool:
    if isinstance(node, (ast.Set, ast.SetComp)):
        return True
    if isinstance(node, ast.Name):  # called, or handed on as in `defaultdict(set)`
        return node.id in _MAKING
    if isinstance(node, ast.Attribute):
        return node.attr in _METHODS
    if isinstance(node, ast.Call):
        return _makes_set(node.func)
    return isinstance(node, ast.BinOp) and any(map(_is_view, (node.left, node.right)))


def _is_view(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "attr", None) in _VIEWS


def in_one_order(sets: Iterable[NotedSet], hash_seeds: Sequence[str]) -> list[NotedSet]:
    """Those of which the first element may have been the same under all of these seeds.

    That says more than the whole order, since code often takes one element alone. The seeds are
    those of the original and of every repeat. All whose order cannot be foretold are among them.
    """
    every = list(dict.fromkeys(sets))
    known = [noted_set for noted_set in every if noted_set.known]
    under = [_orders(known, seed) for seed in hash_seeds]
    alike = {
        noted_set
        for number, noted_set in enumerate(known)
        if any(
            len({order[0] for order in way}) == 1
            for way in zip(*(orders[number] for orders in under), strict=True)
        )
    }
    return [noted_set for noted_set in every if noted_set in alike or not noted_set.known]


def reordering(sets: Sequence[NotedSet], names: Iterable[str]) -> str | None:
    """The name of a run under whose hash seed most of these sets begin with another element.

    The sets are in the order of the original. The best of the names, or the first where nothing
    can be foretold; None where none reorders any.
    """
    known = [noted_set for noted_set in sets if noted_set.known]
    best, most = None if known else next(iter(names), None), 0
    for name in names if known else ():
        under = _orders(known, hash_seed(name))
        count = sum(
            all(order[0] != noted_set.order[0] for order in ways)
            for noted_set, ways in zip(known, under, strict=True)
        )
        if count > most:
            best, most = name, count
        if most == len(known):
            break
    return best


def _orders(sets: Sequence[NotedSet], seed: str) -> list[list[Order]]:
    """Of each set the orders under a seed, one for each way to put its elements in."""
    done = subprocess.run(
        [sys.executable, "-P", "-S", "-B", "-c", _ORDERING],
        input=json.dumps([noted_set.ways() for noted_set in sets]),
        capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )  # fmt: skip
    return [[tuple(order) for order in ways] for ways in json.loads(done.stdout)]
