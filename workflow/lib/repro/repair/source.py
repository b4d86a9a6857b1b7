"""Source: a file of the user's, parsed, with the positions in bytes of what is in it.

Synopsis:
    source = parsed("train.py", content)          # None where that cannot be edited
    source.calls("numpy.random.default_rng", 12)  # the calls of that function in line 12
    source.text(node), source.replaced(node, "0")
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from repro.repair.edits import Edit, edited

Span = tuple[int, int]
Positioned = ast.expr | ast.stmt | ast.keyword


@dataclass(frozen=True)
class UserSource:
    """A file: `name` from the folder of the command, its bytes and its tree."""

    name: str
    content: bytes
    tree: ast.Module
    _starts: Sequence[int] = field(default=(), repr=False)

    @property
    def newline(self) -> str:
        """What ends its lines."""
        return "\r\n" if b"\r\n" in self.content else "\n"

    def line_start(self, line: int) -> int:
        """The position of a line's first byte; behind the last line, the end of the file."""
        return self._starts[line - 1] if line <= len(self._starts) else len(self.content)

    def span(self, node: Positioned) -> Span:
        """Where a node begins and ends."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self.line_start(node.lineno) + node.col_offset
        return start, self.line_start(node.end_lineno) + node.end_col_offset

    def text(self, node: Positioned) -> str:
        """The text of a node, as it stands there."""
        start, end = self.span(node)
        return self.content[start:end].decode()

    def replaced(self, node: Positioned, text: str) -> Edit:
        """An edit that puts a text in place of a node."""
        return Edit(self.name, *self.span(node), text)

    def wrapped(self, node: Positioned, before: str, after: str) -> tuple[Edit, Edit]:
        """Edits that put texts around a node."""
        start, end = self.span(node)
        return Edit(self.name, start, start, before), Edit(self.name, end, end, after)

    def calls(self, name: str, line: int) -> list[ast.Call]:
        """The calls in a line of what has, or ends with, a public name, such as `os.listdir`.

        A process says of a call that goes over several lines now its first line, now another.
        """
        last = name.rpartition(".")[2]
        named = [call for call in self.all_calls() if self.called(call).rpartition(".")[2] == last]
        begin = [call for call in named if line in (call.lineno, call.func.end_lineno)]
        around = [call for call in named if call.lineno <= line <= (call.end_lineno or 0)]
        return begin or around[-1:]

    def reads(self, line: int) -> list[ast.expr]:
        """Where environment variables are read in a line: one of them, or all."""
        found = list[ast.expr]()
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.Attribute, ast.Name)) and node.lineno == line:
                name = self.named(node).rpartition(".")[2]
                if name in ("environ", "getenv"):
                    found.append(node)
        return found

    def all_calls(self) -> Iterator[ast.Call]:
        """All calls."""
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def called(self, call: ast.Call) -> str:
        """The name of what is called, by the imports at the top where they say it."""
        return self.named(call.func)

    def named(self, node: ast.expr) -> str:
        """The public name of what an expression names."""
        first, dot, rest = ast.unparse(node).partition(".")
        return f"{self.imported.get(first, first)}{dot}{rest}"

    def closing(self, call: ast.Call) -> int:
        """The position of the bracket that ends a call."""
        return self.span(call)[1] - 1

    def behind(self, call: ast.Call, node: Positioned) -> int:
        """The position behind an argument of a call, and behind brackets around it."""
        place, end = self.span(node)[1], self.closing(call)
        found = place
        while place < end:  # only blanks, brackets, comments and commas stand between arguments
            sign = self.content[place : place + 1]
            if sign == b",":
                break
            if sign == b"#":
                place = self.content.find(b"\n", place)
                continue
            place += 1
            if sign == b")":
                found = place
        return found

    @cached_property
    def imported(self) -> dict[str, str]:
        """By name in the module, what stands for it: `np` is `numpy`."""
        return names_of(ast.walk(self.tree))

    def here(self, other: ast.expr) -> ast.expr:
        """The node that stands where one of another tree of the same source does."""
        return next(
            node
            for node in ast.walk(self.tree)
            if isinstance(node, type(other)) and self.span(node) == self.span(other)
        )

    def left_out(self, call: ast.Call, gone: ast.keyword) -> Edit:
        """An edit that takes an argument away that is not the first one, with the comma before."""
        start, end = self.span(gone)
        before = [each for each in (*call.args, *call.keywords) if self.span(each)[1] <= start]
        last = max(before, key=lambda each: self.span(each)[1])
        return Edit(self.name, self.behind(call, last), end, "")

    def alone_in_its_lines(self, node: ast.stmt) -> bool:
        """Whether a statement shares its lines with nothing else."""
        start, end = self.span(node)
        before = self.content[self.line_start(node.lineno) : start]
        behind = self.content[end : self.line_start((node.end_lineno or 0) + 1)]
        return not before.strip() and not behind.strip()

    def without_lines(self, node: ast.stmt) -> Edit:
        """An edit that takes a statement away with its lines."""
        end = self.line_start((node.end_lineno or 0) + 1)
        return Edit(self.name, self.line_start(node.lineno), end, "")

    def stays_python(self, edits: Iterable[Edit]) -> bool:
        """Whether edits leave a file that can be read.

        They may not, since Python may give other positions for what is in an f-string.
        """
        try:
            ast.parse(edited(self.content, edits))
        except (SyntaxError, ValueError):  # the latter where two edits change one place
            return False
        return True

    def around(self, node: ast.AST) -> list[ast.AST]:
        """What a node stands in, the innermost first."""
        parents = {
            inner: outer for outer in ast.walk(self.tree) for inner in ast.iter_child_nodes(outer)
        }
        found = list[ast.AST]()
        while (outer := parents.get(node)) is not None:
            found.append(outer)
            node = outer
        return found


def names_of(nodes: Iterable[ast.AST]) -> dict[str, str]:
    """By the name that an import among some nodes gives it, what stands for it."""
    found: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for each in node.names:
                whole = each.name if each.asname else each.name.partition(".")[0]
                found[each.asname or whole] = whole
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for each in node.names:
                found[each.asname or each.name] = f"{node.module}.{each.name}"
    return found


def parsed(name: str, content: bytes) -> UserSource | None:
    """A file, parsed; None where it is no Python in UTF-8, or its first bytes mark it as such."""
    try:
        content.decode("utf-8")
        coding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return None
    if coding != "utf-8" and not content.isascii():  # then `ast` counts other bytes
        return None
    if content.startswith(b"\xef\xbb\xbf") or b"\r" in content.replace(b"\r\n", b""):
        return None
    starts, place = [0], 0
    while (place := content.find(b"\n", place) + 1) > 0:
        starts.append(place)
    return UserSource(name, content, tree, starts)
