"""Set order: lines that go through a set in its own order or hash text, read off the source.

Synopsis:
    for line in lines_on_hash_seed(source, vars(module)): line.source, line.text, line.number

No call can be seen there, so these are suspects. It is certain that it is a set of text only where
the module holds the very set.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from repro.ledger.set_expressions import SetExpressions
from repro.watch.call_conditions import salted

HASH, ORDER, TEXT_ORDER = "hash", "order of a set", "order of a set of text"
_FREE = {"sorted", "set", "frozenset", "len", "any", "all", "min", "max"}
"""What gives the same whatever the order of its argument."""
_THROUGH = {"list", "tuple", "filter", "iter", "reversed"}
"""What hands its argument on, so that an order which plays no part around it plays none inside."""
_CALLS = {
    "list", "tuple", "dict", "enumerate", "iter", "zip", "map", "filter", "str", "repr", "Counter",
    "deque", "reduce", "sum", "chain", "join", "extend", "fromkeys", "from_iterable", "array",
    "constant", "OrderedDict",
}  # fmt: skip
_SAMPLE = 1000
_LONGEST = 60


@dataclass(frozen=True)
class HashedLine:
    """A line whose result may depend on the hash seed; `text`: the expression.

    `node`: the set, or the call that hashes.
    """

    source: str
    text: str
    number: int
    node: ast.expr = field(compare=False, repr=False)


def lines_on_hash_seed(source: bytes, held: Mapping[str, Any]) -> list[HashedLine]:
    """The lines of a module that may depend on the hash seed, in their order.

    Args:
        held: what the module's names stand for by now.

    Raises:
        SyntaxError: the source is not Python.
    """
    tree = ast.parse(source)
    reading = _Reading(SetExpressions(tree), held)
    reading.visit(tree)
    found = [line for line in reading.found if line.text not in reading.sorted_later]
    return sorted(dict.fromkeys(found), key=lambda line: line.number)


class _Reading(ast.NodeVisitor):
    def __init__(self, sets: SetExpressions, held: Mapping[str, Any]) -> None:
        self._sets, self._held = sets, held
        self._free = self._own_hash = False
        self.found: list[HashedLine] = []
        self.sorted_later: set[str] = set()

    def visit(self, node: ast.AST) -> Any:
        """Lets `_free` reach only what hands its order on."""
        handing = (ast.Call, ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.comprehension)
        before = self._free
        self._free = before and isinstance(node, handing)
        super().visit(node)
        self._free = before

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        before, self._own_hash = self._own_hash, node.name == "__hash__"
        with self._sets.inside(node):
            self.generic_visit(node)
        self._own_hash = before

    visit_AsyncFunctionDef: Any = visit_FunctionDef

    def visit_Call(self, node: ast.Call) -> None:
        name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
        owner = getattr(node.func, "value", None)
        free = self._free
        if name == "hash" and owner is None and not self._own_hash and _may_be_text(node.args):
            self._add(HASH, node, node)
        if name == "pop" and owner is not None and not node.args:
            self._goes_through(owner, node)
        breaks_ties = name in ("sorted", "min", "max") and any(
            k.arg == "key" for k in node.keywords
        )
        self._free = (name in _FREE and not breaks_ties) or (free and name in _THROUGH)
        for each in node.args:
            if not self._free and (name in _CALLS or breaks_ties):
                self._goes_through(each, node)
            self.visit(each)
        self._free = False
        for each in (node.func, *node.keywords):
            self.visit(each)
        self._free = free

    def visit_For(self, node: ast.For) -> None:
        self._goes_through(node.iter, node.iter)
        self.generic_visit(node)

    visit_AsyncFor: Any = visit_For

    def visit_comprehension(self, node: ast.comprehension) -> None:
        if not self._free:
            self._goes_through(node.iter, node.iter)
        self.generic_visit(node)

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._free = True
        self.generic_visit(node)

    def visit_Starred(self, node: ast.Starred) -> None:
        if not self._free:
            self._goes_through(node.value, node)
        self.generic_visit(node)

    def visit_YieldFrom(self, node: ast.YieldFrom) -> None:
        self._goes_through(node.value, node)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        if any(isinstance(target, (ast.Tuple, ast.List)) for target in node.targets):
            self._goes_through(node.value, node.value)
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        """Finds `names.sort()`, behind which the order of `names = list(…)` is no set's."""
        call = node.value
        function = getattr(call, "func", None)
        if isinstance(function, ast.Attribute) and function.attr == "sort":
            self.sorted_later |= self._sets.given_to(function.value, before=node.lineno)
        self.generic_visit(node)

    def _goes_through(self, value: ast.expr, shown: ast.AST) -> None:
        if self._sets.is_set(value):
            certain = self._holds_text(value)
            if certain is not False:
                self._add(TEXT_ORDER if certain else ORDER, shown, value)

    def _holds_text(self, value: ast.expr) -> bool | None:
        """Whether it is a set of text, as far as the module holds it."""
        name = getattr(value, "id", None)
        known = self._held.get(name) if name and self._sets.is_global(name) else None
        if not isinstance(known, (set, frozenset)) or not known:
            return None
        return any(map(salted, _some(known)))

    def _add(self, source: str, shown: ast.AST, at: ast.expr) -> None:
        text = " ".join(ast.unparse(shown).split())
        text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
        self.found.append(HashedLine(source, text, at.lineno, at))


def _may_be_text(args: Sequence[ast.expr]) -> bool:
    return len(args) == 1 and (not isinstance(args[0], ast.Constant) or salted(args[0].value))


def _some(values: Any) -> Iterator[Any]:
    return islice(values, _SAMPLE)
