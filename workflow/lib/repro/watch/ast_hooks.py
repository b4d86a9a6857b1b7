"""AST hooks: a user's source as a syntax tree in which every call goes through a recorder.

Synopsis:
    code = compile(rewritten(source, "experiment.py"), path, "exec")

    f(x)                  ->  __repro__.call(f, file, line)(x)
    for x in y            ->  for x in __repro__.iterated(y, file, line)
    os.environ["A"]       ->  __repro__.seen(os.environ, file, line, "os.environ", …)["A"]

Lines stay what they are, so that tracebacks, and what reads the source again, find the same.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

RECORDER = "__repro__"
"""The name of the recorder among the module's globals; two underscores at its end: not mangled."""

_FREE = {"sorted", "set", "frozenset", "len", "any", "all", "min", "max"}
"""What gives the same whatever the order of its argument."""

_THROUGH = {"list", "tuple", "filter", "iter"}
"""What hands its argument on, so that an order which plays no part around it plays none inside."""

_CALLING = {"map", "filter"}
"""What calls its first argument."""
_SORTING = {"sorted", "min", "max", "sort", "groupby"}
"""What calls its argument `key`."""

_ATTRIBUTES: Mapping[str, tuple[str, str]] = {
    "environ": ("os.environ", "environment variable"),
    **{
        f"st_{kind}time{ns}": ("times of a file", "file times")
        for kind in "amc"
        for ns in ("", "_ns")
    },
    "st_ino": ("inode number", "file times"),
    "st_mode": ("rights of a file", "file rights"),
}
_OF_PATHS = {"parent", "parents", "parts"}
"""What of a `pathlib.Path` tells where a file lies."""
_OF_WORKERS = {"workers", "use_multiprocessing"}
"""What of a Keras `PyDataset` says how its batches are made."""
_STATED = {"deterministic", "experimental_deterministic"}
_WRITING = {"setdefault", "update", "pop", "clear"}


def rewritten(source: bytes, name: str, path: str = "<unknown>") -> ast.Module:
    """The syntax tree of a file, with a recorder at every call.

    The recorder calls the file `name`; `path` is for what a SyntaxError says.

    Raises:
        SyntaxError: the source is not Python.
    """
    return ast.fix_missing_locations(_Rewriting(name).visit(ast.parse(source, path)))


class _Rewriting(ast.NodeTransformer):
    def __init__(self, name: str) -> None:
        self._name = name
        self._free = False

    def visit(self, node: ast.AST) -> Any:
        """Lets `_free` reach only what hands its order on; then as every transformer does."""
        handing = (ast.Call, ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.comprehension)
        before = self._free
        self._free = before and isinstance(node, handing)
        try:
            return super().visit(node)
        finally:
            self._free = before

    def _to_recorder(self, method: str, value: ast.expr, *more: Any) -> ast.Call:
        recorder = ast.Attribute(ast.Name(RECORDER, ast.Load()), method, ast.Load())
        constants = [ast.Constant(part) for part in (self._name, value.lineno, *more)]
        call = ast.Call(recorder, [value, *constants], [])
        for node in ast.walk(call):
            if node is not value and not hasattr(node, "lineno"):
                ast.copy_location(node, value)
        return call

    def visit_Call(self, node: ast.Call) -> ast.Call:
        free, function = self._free, getattr(node.func, "id", None)
        frees = function in _FREE and _breaks_no_tie(node)
        node.func = self.visit(node.func)
        self._free = frees or (free and function in _THROUGH)
        node.args = [self.visit(part) for part in node.args]
        self._free = False
        node.keywords = [self.visit(part) for part in node.keywords]
        self._handed_on(node, function)
        self._free = free
        node.func = self._to_recorder("call", node.func, free or frees)
        return node

    def _handed_on(self, node: ast.Call, function: str | None) -> None:
        """Finds what is called for the user: `key=os.path.getmtime`, `map(os.path.getmtime, …)`."""
        named = (ast.Name, ast.Attribute)
        called = function or getattr(node.func, "attr", None)
        for keyword in node.keywords if called in _SORTING else ():
            if keyword.arg == "key" and isinstance(keyword.value, named):
                keyword.value = self._to_recorder("call", keyword.value)
        if function in _CALLING and node.args and isinstance(node.args[0], named):
            node.args[0] = self._to_recorder("call", node.args[0])

    def _iterated(self, value: ast.expr) -> ast.expr:
        return value if self._free else self._to_recorder("iterated", value)

    def visit_For(self, node: ast.For) -> ast.For:
        self.generic_visit(node)
        node.iter = self._iterated(node.iter)
        return node

    def visit_SetComp(self, node: ast.SetComp) -> ast.SetComp:
        self._free = True
        self.generic_visit(node)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        free = self._free
        self.generic_visit(node)
        if not free:
            node.iter = self._to_recorder("iterated", node.iter)
        return node

    def visit_Starred(self, node: ast.Starred) -> ast.Starred:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load):
            node.value = self._to_recorder("iterated", node.value)
        return node

    def visit_YieldFrom(self, node: ast.YieldFrom) -> ast.YieldFrom:
        self.generic_visit(node)
        node.value = self._iterated(node.value)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AugAssign:
        """Finds `some_list += some_set`."""
        self.generic_visit(node)
        if isinstance(node.op, ast.Add):
            node.value = self._iterated(node.value)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        """Finds `options.deterministic = False`, `dataset.workers = 4`, and `a, b = some_set`."""
        self.generic_visit(node)
        if any(isinstance(target, (ast.Tuple, ast.List)) for target in node.targets):
            node.value = self._iterated(node.value)
            return node
        attributes = [target for target in node.targets if isinstance(target, ast.Attribute)]
        for target in attributes:
            if target.attr in _OF_WORKERS and isinstance(target.value, ast.Name):
                owner = ast.copy_location(ast.Name(target.value.id, ast.Load()), node.value)
                node.value = self._to_recorder("set_on", node.value, target.attr)
                node.value.args.append(owner)
        stated = {target.attr for target in attributes}
        off = isinstance(node.value, ast.Constant) and node.value.value is False
        if off and stated & _STATED:
            text = f"{min(stated & _STATED)} = False"
            node.value = self._to_recorder("seen", node.value, text, "unordered stream")
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.Subscript:
        written = not isinstance(node.ctx, ast.Load) and _is_environ(node.value)
        return node if written else self._visited(node)

    def _visited(self, node: Any) -> Any:
        self.generic_visit(node)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if node.attr in _WRITING and _is_environ(node.value):
            return node
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            return node
        if node.attr in _OF_PATHS:
            return self._to_recorder("part_of_path", node.value, node.attr)
        read = node.attr in _ATTRIBUTES
        return self._to_recorder("seen", node, *_ATTRIBUTES[node.attr]) if read else node

    def visit_MatchValue(self, node: ast.MatchValue) -> ast.MatchValue:
        """A pattern may call nothing."""
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        read = isinstance(node.ctx, ast.Load) and node.id == "environ"
        return self._to_recorder("seen", node, *_ATTRIBUTES["environ"]) if read else node


def _breaks_no_tie(node: ast.Call) -> bool:
    """Whether no `key` leaves the order of some values to that in which they came."""
    keys = [each.value for each in node.keywords if each.arg == "key"]
    return all(isinstance(key, ast.Name) and key.id in ("str", "repr") for key in keys)


def _is_environ(node: ast.expr) -> bool:
    """Whether this is `os.environ`, or `environ`."""
    return "environ" in (getattr(node, "attr", None), getattr(node, "id", None))
