"""User frames: the line of the user's code on whose behalf a call is made.

Synopsis:
    nearest(frame_at(1))              # ("train.py", 12), or None

The user's are the files that belong neither to Python's own library, nor to an installed package,
nor to us. What a library does while it is imported is on nobody's behalf.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable
from types import FrameType
from typing import Any

Place = tuple[str, int]
"""File and line, as a user sees them."""

_KINDS = ("stdlib", "platstdlib", "purelib", "platlib")
_INSTALLED = tuple(
    {os.path.join(os.path.realpath(sysconfig.get_path(kind)), "") for kind in _KINDS}
)
_OURS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
_NAMES: dict[str, str | None] = {}
_GENERATED = "__autograph_generated_file"
"""How files begin into which TensorFlow writes what it makes of a function; each has a new name."""


frame_at: Callable[[int], FrameType] = sys._getframe  # pyright: ignore[reportPrivateUsage] (as inspect does)
"""The frame of the caller, or so many further out."""


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed; `check`, which imports this too, has a sentence for that
        return os.path.join(os.sep, "removed")


_HERE = _folder()


def _name(file: str) -> str | None:
    """How a file of the user's is called, from the folder in which the process began; else None."""
    if file.startswith("<"):
        return file if file in ("<string>", "<stdin>") else None
    path = os.path.abspath(os.path.join(_HERE, file))
    parts = path.split(os.sep)
    if parts[-1].startswith(_GENERATED):
        return None
    if path.startswith(_OURS) or "site-packages" in parts or "dist-packages" in parts:
        return None
    if os.path.realpath(path).startswith(_INSTALLED):
        return None
    return path[len(_HERE) + 1 :] if path.startswith(os.path.join(_HERE, "")) else path


def of_user(frame: FrameType | None) -> Place | None:
    """File and line of this very frame, if it is the user's."""
    if frame is None:
        return None
    if frame.f_code.co_filename == "<string>" and frame.f_globals.get("__name__") != "__main__":
        return None  # a line of a .pth file, or what a library made
    return place_of(frame.f_code.co_filename, frame.f_lineno)


def place_of(file: str, line: int) -> Place | None:
    """File and line, if the file is the user's."""
    if file not in _NAMES:
        _NAMES[file] = _name(file)
    name = _NAMES[file]
    return (name, line) if name else None


def nearest(frame: FrameType | None) -> Place | None:
    """File and line of the innermost frame that is the user's, or None."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return None
        generated = os.path.basename(frame.f_code.co_filename).startswith(_GENERATED)
        place = _source_of_generated() if generated else of_user(frame)
        if place:
            return place
        frame = frame.f_back
    return None


def _source_of_generated() -> Place | None:
    """The innermost line of the user's, by TensorFlow's own maps from what it made of it."""
    stack = sys.modules.get("tensorflow.python.util.tf_stack")
    frames: list[Any] = [*stack.extract_stack()] if stack else []
    places = (place_of(each.filename, each.lineno) for each in reversed(frames))
    return next(filter(None, places), None)
