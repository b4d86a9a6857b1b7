"""Flow: where a value of the user's comes to be a seed, followed by the names that it is given.

Synopsis:
    for use in seed_uses(source, node): use.argument, use.value

`run = uuid4()` in one line and `default_rng(run.int)` in another: the argument is `run.int`.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass

from repro.repair.source import UserSource

_SEEDING = (
    "seed", "set_seed", "set_random_seed", "seed_everything", "default_rng", "RandomState",
    "SeedSequence", "PCG64", "MT19937", "Philox", "SFC64", "from_seed", "SeedGenerator", "PRNGKey",
)  # fmt: skip
"""What takes a seed as its first argument, by the last part of its name."""
_RANDOM = "random.Random"
_KEYWORDS = ("seed", "random_state", "random_seed", "rng_seed", "entropy")
_ROUNDING = ("int", "abs", "round")
_BUILTIN = {*vars(builtins)}
_FURTHEST = 4
"""So many names are followed, one after the other."""


@dataclass(frozen=True)
class SeedUse:
    """`argument`: what stands where a seed is expected; `value`: what of it comes from the call."""

    argument: ast.expr
    value: ast.expr


def is_alone(source: UserSource, use: SeedUse) -> bool:
    """Whether the argument has nothing else in it that may be another one each time."""
    own = {id(node) for node in ast.walk(use.value)}
    called = {id(node.func) for node in ast.walk(use.argument) if isinstance(node, ast.Call)}
    return all(
        id(name) in own or id(name) in called or name.id in source.imported or name.id in _BUILTIN
        for name in ast.walk(use.argument)
        if isinstance(name, ast.Name)
    )


def seed_uses(source: UserSource, node: ast.expr, further: int = _FURTHEST) -> list[SeedUse]:
    """The places where a value, or what is made of it, is taken for a seed."""
    value = _made_of(source, node)
    within = value
    for outer in source.around(value):
        if _takes_seed(source, outer, within):
            return [SeedUse(within, value)]
        if isinstance(outer, (ast.Assign, ast.AnnAssign)) and outer.value is not None:
            targets = outer.targets if isinstance(outer, ast.Assign) else [outer.target]
            if any("seed" in ast.unparse(target).lower() for target in targets):
                return [SeedUse(outer.value, value)]
        if isinstance(outer, ast.stmt):
            following = _following(source, outer) if further else ()
            found = [seed_uses(source, each, further - 1) for each in following]
            return [*dict.fromkeys(use for uses in found for use in uses)]
        if isinstance(outer, ast.expr):
            within = outer
    return []


def _made_of(source: UserSource, node: ast.expr) -> ast.expr:
    """The value with what is taken of it at once: its attributes and methods, rounded."""
    for outer in source.around(node):
        taken = isinstance(outer, (ast.Attribute, ast.Subscript)) and outer.value is node
        called = isinstance(outer, ast.Call) and outer.func is node
        if not (taken or called or _rounds(outer, node)):
            break
        assert isinstance(outer, ast.expr)
        node = outer
    return node


def _rounds(outer: ast.AST, node: ast.expr) -> bool:
    if not (isinstance(outer, ast.Call) and outer.args == [node]):
        return False
    return isinstance(outer.func, ast.Name) and outer.func.id in _ROUNDING


def _takes_seed(source: UserSource, outer: ast.AST, within: ast.expr) -> bool:
    if isinstance(outer, ast.keyword):
        return outer.arg in _KEYWORDS
    if not isinstance(outer, ast.Call) or within not in outer.args[:1]:
        return False
    name = source.called(outer)
    return name.rpartition(".")[2] in _SEEDING or name == _RANDOM


def _following(source: UserSource, statement: ast.stmt) -> Iterator[ast.expr]:
    """Where the names are read that a statement gives to a value, or the function is called."""
    around = source.around(statement)
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    scope = next((each for each in around if isinstance(each, functions)), None)
    if isinstance(statement, ast.Return) and scope:
        for call in source.all_calls():
            if ast.unparse(call.func).rpartition(".")[2] == scope.name:
                yield call
        return
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    if isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    for target in targets:
        text = ast.unparse(target)
        inside = source.tree if scope is None or "." in text else scope
        for node in ast.walk(inside):
            read = isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load)
            if read and ast.unparse(node) == text:
                assert isinstance(node, ast.expr)
                yield node
