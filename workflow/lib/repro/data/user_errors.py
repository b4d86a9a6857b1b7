"""User errors: an exception of the user's code as one sentence, with the line where it arose.

Synopsis:
    with blamed(path, ["model"], code.function):
        model(settings, seeds)

What was expected, what was received, and what to do; the whole traceback goes to the step's log.
"""

from __future__ import annotations

import errno
import inspect
import os
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.core.errors import UserError
from repro.core.factor_table import FACTORS
from repro.data.error_message import full_text, message, quoted_lines
from repro.data.known_mistakes import known_mistake
from repro.launch.launcher import varied

Find = Callable[[str], Callable[..., Any] | None]
"""Gives the user's function of a name, or None where there is none."""


def name_in(path: Path, file: str) -> str | None:
    """A file's name relative to the experiment's code; None where it is no part of it.

    `path` is the experiment's file or folder, absolute.
    """
    if file == str(path):
        return path.name
    folder = f"{path}{os.sep}"
    return Path(file[len(folder) :]).as_posix() if file.startswith(folder) else None


@dataclass(frozen=True)
class _Line:
    """A line of some file, and the function that it is in."""

    file: str
    line: int
    function: str = ""


def _way(error: BaseException) -> list[_Line]:
    """The lines on the way to an error, outermost first."""
    frames = traceback.extract_tb(error.__traceback__)
    found = [_Line(frame.filename, frame.lineno or 1, frame.name) for frame in frames]
    if isinstance(error, SyntaxError) and error.filename:
        found.append(_Line(error.filename, error.lineno or 1))
    # What ran as a graph has its lines in the text, and they are further in.
    return found + [_Line(*quoted) for quoted in quoted_lines(error)]


def _beginning(function: Callable[..., Any] | None, path: Path) -> _Line | None:
    """Where a function of the user's begins."""
    code = getattr(inspect.unwrap(function), "__code__", None) if function else None
    if code is None or name_in(path, code.co_filename) is None:
        return None
    return _Line(code.co_filename, code.co_firstlineno)


@contextmanager
def blamed(path: Path, functions: Sequence[str], find: Find) -> Generator[None]:
    """Turns an exception of the user's code into a sentence.

    Args:
        path: the experiment's file or folder, absolute.
        functions: the names of those that are called; empty for the import.

    Raises:
        UserError: instead of any other exception.
    """
    try:
        yield
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        raise UserError(f"{_sentence(error, path, functions, find)}{_hint(error)}") from error


def _sentence(error: BaseException, path: Path, functions: Sequence[str], find: Find) -> str:
    way, kind = _way(error), type(error).__name__
    inside = [line for line in way if name_in(path, line.file) is not None]
    called = [line.function for line in inside if line.function in functions]
    names = called[-1:] or [name for name in functions if find(name)]
    words = message(error, own=bool(inside) and way[-1] == inside[-1])
    whole = f"{kind} ({Path(way[-1].file).name if way else ''}): {full_text(error)}"
    mistake = known_mistake(words, whole, names[0] if names else "")
    looked_at = mistake.function if mistake else next(iter(names), "")
    line = inside[-1] if inside else _beginning(find(looked_at), path)
    place = f"{Path(line.file).name}, line {line.line}" if line else path.name
    if mistake:
        return (
            f"Expected {mistake.expected}. Received {mistake.received} ({kind} at {place}). "
            f"{mistake.remedy}"
        )
    what = " or ".join(f"`{name}`" for name in names) or "the import"
    first, *others = words.split("\n")
    # The sentence stays whole, and last: a message of several lines stands above it.
    above, short = (
        (f"{words}\n", f"{first} …; the whole message is above") if others else ("", first)
    )
    return (
        f"{above}Expected {what} of the experiment's code to run. Received {kind} "
        f"({short or 'no message'}) at {place}. Mend the code."
    )


def _hint(error: BaseException) -> str:
    """What a variation may have to do with an error, where it may."""
    names: set[str] = set()
    link: BaseException | None = error
    while link is not None:
        names.add(type(link).__name__)
        if isinstance(link, OSError):
            names.add(errno.errorcode.get(link.errno or 0, ""))
        link = link.__cause__ or link.__context__
    hints = (hint for factor in varied() for hint in FACTORS[factor].hints)
    return next((f" {hint.sentence}" for hint in hints if names & hint.errors), "")
