"""Graphs: the operations of a traced function and of all that it calls, and who made them.

Synopsis:
    for body, op in nodes(Body(concrete_function.graph)):
        op.type, place(body.frames(op), path)      # "Const", ("experiment.py", 12)

TensorFlow has no public way into the functions that a graph calls; all that reaches for them
is here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from repro.data.user_errors import name_in

_FUNCTIONS = ("f", "then_branch", "else_branch", "branches", "cond", "body")


@dataclass(frozen=True)
class Body:
    """A function's graph; `within` is its name, empty for the outermost."""

    graph: Any
    within: str = ""
    _source: Any = None

    def called(self, name: str) -> Body:
        """The body of a function that this one calls."""
        source = self.graph._get_function(name)
        return Body(source.graph, name, source)

    def frames(self, op: Any) -> list[tuple[str, int]]:
        """File and line of each call that led to an operation, the outermost first."""
        if self._source is None:
            return [(frame.filename, frame.lineno) for frame in op.traceback or ()]
        # Operations of a function that was read back carry no traceback of their own.
        info = self._source.graph_debug_info
        trace = info.traces_by_id[info.name_to_trace_id.get(op.name, 0)]
        frames = [info.frames_by_id[number] for number in trace.frame_id]
        return [(info.files[frame.file_index], frame.line) for frame in frames]


def callees(op: Any) -> list[str]:
    """The names of the functions that an operation calls; of a loop, condition then body."""
    functions: list[Any] = []
    for name in _FUNCTIONS:
        if name in op.node_def.attr:
            value = op.get_attr(name)
            functions += cast("list[Any]", value) if isinstance(value, list) else [value]
    return [value.name for value in functions if hasattr(value, "name")]


def nodes(body: Body) -> Iterator[tuple[Body, Any]]:
    """Every operation with its body, each followed by those of the functions that it calls."""
    for op in body.graph.get_operations():
        yield body, op
        for name in callees(op):
            yield from nodes(body.called(name))


def place(frames: Sequence[tuple[str, int]], path: Path) -> tuple[str, int] | None:
    """The innermost line of the user's that led to an operation: file in the experiment, and line.

    None where none took part. The outermost frame comes first; `path` is absolute.
    """
    named = ((name_in(path, file), line) for file, line in reversed(frames))
    return next(((name, line) for name, line in named if name), None)


def _content(op: Any) -> str:
    return hashlib.sha256(op.node_def.attr["value"].SerializeToString()).hexdigest()


def constants(body: Body) -> tuple[tuple[str, ...], Mapping[tuple[str, str], tuple[int, str]]]:
    """The kinds of all operations in their order, and the content of each constant.

    That is, by (function, operation), its number among all and its digest. Text is left out: in
    messages it may name tensors.
    """
    kinds: list[str] = []
    numbered: dict[tuple[str, str], tuple[int, str]] = {}
    for inner, op in nodes(body):
        if op.type == "Const" and op.outputs[0].dtype.name != "string":
            numbered[inner.within, op.name] = (len(kinds), _content(op))
        kinds.append(op.type)
    return tuple(kinds), numbered
