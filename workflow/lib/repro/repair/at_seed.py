"""At seed: edits that give a generator a seed, or a seed a number that is the same in each run.

Synopsis:
    seeded(source, call, 1)          # `default_rng()` becomes `default_rng(1)`
    constant_seed(source, call, 1)   # `set_seed(int(time.time()))` becomes `set_seed(1)`

Each gives the edits, or none where the source has another form than it can mend.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from repro.ledger.blamed import LedgerCall
from repro.repair.edits import Edit
from repro.repair.flow import is_alone, seed_uses
from repro.repair.source import UserSource

Edits = Sequence[Edit]
Written = Callable[[int], str]
"""How a number stands in the source where a seed is due."""

_PLACE_OF_SEED = {"shuffle": 1, "list_files": 2}
"""Which argument the seed is, where it is not the first one."""
_NAMES_OF_SEED = ("seed", "entropy", "a", "x")


def seeded(source: UserSource, call: LedgerCall, seed: int, written: Written = str) -> Edits:
    """Gives each unseeded generator that is made in the line a seed, each another one."""
    edits = list[Edit]()
    for node in source.calls(call.call, call.line):
        if any(isinstance(each, ast.Starred) for each in node.args) or any(
            each.arg is None for each in node.keywords
        ):
            return ()
        value = written(seed + len(edits))
        place = _PLACE_OF_SEED.get(call.call.rpartition(".")[2], 0)
        given = [*node.args[place : place + 1]]
        given += [each.value for each in node.keywords if each.arg in _NAMES_OF_SEED]
        if given:  # another call in the line may have its seed already
            edits += [_unless_none(source, each, value) for each in given if _may_be_none(each)]
        elif not (node.args or node.keywords):
            end = source.closing(node)
            edits.append(Edit(source.name, end, end, value))
        else:
            last = max((*node.args, *node.keywords), key=lambda each: source.span(each)[1])
            end = source.behind(node, last)
            edits.append(Edit(source.name, end, end, f", seed={value}"))
    return edits


def _may_be_none(given: ast.expr) -> bool:
    text = ast.unparse(given)
    return text == "None" or isinstance(given, (ast.Name, ast.Attribute, ast.Subscript))


def _unless_none(source: UserSource, given: ast.expr, value: str) -> Edit:
    """The number in place of None; what is None only by default keeps its other values."""
    text = source.text(given)
    return source.replaced(
        given, value if text == "None" else f"{value} if {text} is None else {text}"
    )


def constant_seed(source: UserSource, call: LedgerCall, seed: int, written: Written = str) -> Edits:
    """Puts a number in place of what a seed is made of, here or where its name is used."""
    edits = list[Edit]()
    nodes = [*source.calls(call.call, call.line), *source.reads(call.line)]
    for node in nodes:
        for use in seed_uses(source, node):
            edits.append(
                source.replaced(use.argument if is_alone(source, use) else use.value, written(seed))
            )
        if not edits and call.source == "process id":
            edits.append(source.replaced(node, written(seed)))
    return [*dict.fromkeys(edits)]


def from_a_generator(source: UserSource, call: LedgerCall, seed: int) -> Edits:
    """Takes from a generator what the system's entropy gives."""
    edits = list[Edit]()
    for node in source.calls(call.call, call.line):
        last = call.call.rpartition(".")[2]
        owner = source.text(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        if last == "SystemRandom" and not node.args:
            edits.append(source.replaced(node, f"random.Random({seed})"))
        elif last == "from_non_deterministic_state" and owner:
            edits.append(source.replaced(node, f"{owner}.from_seed({seed})"))
        elif last in ("uuid1", "uuid4"):
            made = f"{owner or 'uuid'}.UUID(int=random.getrandbits(128), version=4)"
            edits.append(source.replaced(node, made))
    return edits
