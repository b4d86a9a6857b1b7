"""Set expressions: which expressions of a module are sets of what may be text, by the source alone.

Synopsis:
    sets = SetExpressions(tree)
    with sets.inside(function): sets.is_set(expression)

A name is what was last given to it above the line, in its function or else in the module; an
attribute is a set where any line makes it one.
"""

from __future__ import annotations

import ast
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Union

_MAKING = {"set", "frozenset"}
_ANNOTATED = {"set", "frozenset", "Set", "FrozenSet", "AbstractSet", "MutableSet"}
_METHODS = {"union", "intersection", "difference", "symmetric_difference", "copy"}
_NUMBERS = {"int", "float", "len", "ord", "round", "abs", "range", "id"}
_OPERATORS = (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)

_Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]


class SetExpressions:
    """The sets of a module."""

    def __init__(self, tree: ast.Module) -> None:
        self._globals = _assigned(tree)
        self._locals: list[dict[str, list[tuple[int, Any]]]] = []
        self._attributes: set[str] = set()
        self._functions: set[str] = set()
        self._asked: set[int] = set()
        self._known: dict[int, bool] = {}
        for _ in range(2):  # what a function gives may be what another one gave
            self._learn(tree)

    @contextmanager
    def inside(self, function: _Function) -> Generator[None]:
        """Within a function, its own names go before those of the module."""
        self._locals.append(_assigned(function))
        try:
            yield
        finally:
            self._locals.pop()

    def is_global(self, name: str) -> bool:
        """Whether a name is that of the module here."""
        return not any(name in scope for scope in self._locals)

    def is_set(self, value: ast.AST) -> bool:
        """Whether an expression is a set, and not of numbers alone."""
        if isinstance(value, ast.Set):
            return not all(_is_number(each) for each in value.elts)
        if isinstance(value, ast.SetComp):
            return not _is_number(value.elt)
        if isinstance(value, ast.Call):
            return self._call_is_set(value)
        if isinstance(value, ast.BinOp) and isinstance(value.op, _OPERATORS):
            sides = (value.left, value.right)
            return any(self.is_set(side) for side in sides) or all(map(_is_keys, sides))
        if isinstance(value, ast.IfExp):
            return self.is_set(value.body) or self.is_set(value.orelse)
        if isinstance(value, ast.Attribute):
            return ast.unparse(value) in self._attributes
        return isinstance(value, ast.Name) and self._name_is_set(value)

    def given_to(self, value: ast.AST, before: int) -> set[str]:
        """The texts of what was given to a name above a line."""
        name = getattr(value, "id", None)
        scopes = [scope for scope in (self._globals, *self._locals) if name in scope]
        given = scopes[-1][str(name)] if scopes else []
        return {
            " ".join(ast.unparse(each).split())
            for line, each in given
            if line <= before and isinstance(each, ast.expr)
        }

    def _call_is_set(self, call: ast.Call) -> bool:
        if isinstance(call.func, ast.Attribute):
            return call.func.attr in _METHODS and self.is_set(call.func.value)
        name = getattr(call.func, "id", "")
        if name in _MAKING:
            return not (call.args and _of_numbers(call.args[0]))
        return name in self._functions

    def _name_is_set(self, name: ast.Name) -> bool:
        for scope in reversed(self._locals):
            if name.id in scope:
                return self._last_is_set(scope[name.id], name.lineno)
        given = self._globals.get(name.id, [])
        # A function runs when the module has come to its end.
        return self._last_is_set(given, given[-1][0] if given and self._locals else name.lineno)

    def _last_is_set(self, given: list[tuple[int, Any]], line: int) -> bool:
        """By what was given last; where that is made of the name itself, by what it was before."""
        above = [value for number, value in given if number < line or self._locals]
        last = next((each for each in reversed(above) if id(each) not in self._asked), None)
        if not isinstance(last, ast.AST):
            return last is True
        if id(last) not in self._known:
            self._asked.add(id(last))
            self._known[id(last)] = self.is_set(last)
            self._asked.remove(id(last))
        known = self._known[id(last)]
        if not self._asked:
            self._known.clear()  # inside of another function it may be another one
        return known

    def _learn(self, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if self.is_set(node.value):
                    found = (each for each in targets if isinstance(each, ast.Attribute))
                    self._attributes.update(map(ast.unparse, found))
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                with self.inside(node):
                    returned = [e.value for e in ast.walk(node) if isinstance(e, ast.Return)]
                    if any(each is not None and self.is_set(each) for each in returned):
                        self._functions.add(node.name)


def _assigned(scope: ast.Module | _Function) -> dict[str, list[tuple[int, Any]]]:
    """By name, each line that gives it something, and what: an expression, or whether it is a set.

    Functions within have names of their own.
    """
    found: dict[str, list[tuple[int, Any]]] = {}
    if not isinstance(scope, ast.Module):
        every = (*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs)
        for each in every:
            found[each.arg] = [(scope.lineno, _annotated(each.annotation))]
    for node in _own(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                for each in ast.walk(target):
                    if isinstance(each, ast.Name):
                        whole = node.value if each is target else False
                        found.setdefault(each.id, []).append((node.lineno, whole))
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and isinstance(node.target, ast.Name):
            found.setdefault(node.target.id, []).append((node.lineno, node.value or False))
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            for each in ast.walk(node.target):
                if isinstance(each, ast.Name):
                    found.setdefault(each.id, []).append((node.lineno, False))
    return found


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope in the order of the source, but for those of functions within."""
    for node in ast.iter_child_nodes(scope):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield node
            yield from _own(node)


def _annotated(annotation: ast.expr | None) -> bool:
    """Whether an annotation says that it is a set, and not that of numbers."""
    if annotation is None:
        return False
    base = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    name = getattr(base, "id", None) or getattr(base, "attr", "")
    inner = annotation.slice if isinstance(annotation, ast.Subscript) else None
    return name in _ANNOTATED and getattr(inner, "id", "str") not in _NUMBERS


def _is_number(value: ast.expr) -> bool:
    if isinstance(value, ast.Constant):
        return isinstance(value.value, (bool, int, float, complex))
    return isinstance(value, ast.Call) and getattr(value.func, "id", "") in _NUMBERS


def _of_numbers(value: ast.expr) -> bool:
    """Whether what goes into a set is numbers: `range(…)`, `map(int, …)`, `[1, 2]`."""
    if isinstance(value, (ast.List, ast.Tuple, ast.Set)):
        return all(_is_number(each) for each in value.elts) and bool(value.elts)
    if isinstance(value, (ast.GeneratorExp, ast.ListComp, ast.SetComp)):
        return _is_number(value.elt)
    if not isinstance(value, ast.Call):
        return False
    name = getattr(value.func, "id", "")
    first = value.args[0] if value.args else None
    return name == "range" or (name == "map" and getattr(first, "id", "") in _NUMBERS)


def _is_keys(value: ast.expr) -> bool:
    function = getattr(value, "func", None)
    return isinstance(function, ast.Attribute) and function.attr == "keys"
