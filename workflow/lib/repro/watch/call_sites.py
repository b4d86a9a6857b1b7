"""Call sites: where in the experiment's code a call stands, and on whose behalf it is made.

Synopsis:
    running(path)        # "dataset", while the experiment's `dataset` is at work
    with converting(called):
        converted(path)  # file, line and function, from code that autograph made of the user's
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from inspect import currentframe
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType
from typing import Any

from repro.data.user_errors import name_in

FUNCTIONS = ("dataset", "fit_preprocessing", "model", "augment", "callbacks", "class_weight")
_IMPORT = "<module>"


@dataclass(frozen=True)
class CallSite:
    """A line of the user's code; `function` is that of the experiment, None where not told."""

    file: str
    line: int
    function: str | None


def _own(frame: FrameType | None, path: Path) -> Iterator[str]:
    """Names of the user's functions on a stack, innermost first."""
    while frame is not None:
        if name_in(path, frame.f_code.co_filename):
            yield frame.f_code.co_qualname
        frame = frame.f_back


def _outermost(innermost_first: Iterable[str]) -> str | None:
    functions = [name for name in innermost_first if name in (*FUNCTIONS, _IMPORT)]
    return {_IMPORT: "import"}.get(functions[-1], functions[-1]) if functions else None


def running(path: Path) -> str | None:
    """The function of the experiment that this thread runs, or else the main thread.

    One of `FUNCTIONS`, or `import`; None where none is on the stack. `path` is absolute.
    """
    here = _outermost(_own(currentframe(), path))
    if here or current_thread() is main_thread():
        return here
    stacks = sys._current_frames()  # pyright: ignore[reportPrivateUsage] (documented, for this)
    return _outermost(_own(stacks.get(main_thread().ident or 0), path))


def converted(path: Path) -> CallSite | None:
    """The place of a call in code that TensorFlow's autograph made, by its own source maps.

    None where the code was made from a library's. `path` is absolute.
    """
    tf_stack: Any = import_module("tensorflow.python.util.tf_stack")
    frames: list[Any] = [*tf_stack.extract_stack()]
    ours = Path(__file__).parent.as_posix()
    while frames and frames[-1].filename.startswith(ours):
        frames.pop()
    file = name_in(path, frames[-1].filename) if frames else None
    if file is None:
        return None
    names = (frame.name for frame in reversed(frames) if name_in(path, frame.filename))
    return CallSite(file, frames[-1].lineno, _outermost(names) or running(path))


@contextmanager
def converting(
    called: Callable[[Any, Sequence[Any], Mapping[str, Any]], None],
) -> Generator[None]:
    """Tells `called` the function and arguments of every call in code that autograph makes.

    It does so before each call: all go through one function there.
    """
    api: Any = import_module("tensorflow.python.autograph.impl.api")
    original = api.converted_call
    holders = [api, api._TRANSPILER.get_extra_locals()["ag__"]]

    def converted_call(function: Any, args: Any, named: Any, *more: Any, **options: Any) -> Any:
        called(function, args, named or {})
        return original(function, args, named, *more, **options)

    for holder in holders:
        holder.converted_call = converted_call
    try:
        yield
    finally:
        for holder in holders:
            holder.converted_call = original
