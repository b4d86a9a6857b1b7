"""Reporting: work whose output goes to a log, and whose failure is said in one sentence.

Synopsis:
    status = reported(log, work)       # work(say): say("a line") reaches the user
    ending(log)                        # status and sentence, where it did not end well
    what_it_said(log, stderr)          # the sentence of a process that was started and failed
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import traceback
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from repro.core.errors import CouldNotRun, UserError
from repro.launch import launcher

Say = Callable[[str], None]
"""Prints a line where the user sees it, and into the log, where all other output goes."""

_NOTE = re.compile(rb"\nexit status: ([0-9]+)\n(?:in words:\n(.+)\n)?\Z", re.DOTALL)
_LONGEST_NOTE = 2**24  # bytes: a message of the user's may show a table


@dataclass(frozen=True)
class Ending:
    """How a process ended that did not end well; the sentence is empty where none was said."""

    status: int
    sentence: str


@contextlib.contextmanager
def _logged(log: Path | None, shown: int) -> Generator[Say]:
    """Sends all output of this process, also that of its libraries, to the log."""
    if log is None:
        stream = sys.stdout if shown == 1 else sys.stderr
        yield lambda line: print(line, file=stream, flush=True)
        return
    terminal = {stream: os.dup(stream) for stream in (1, 2)}
    log.parent.mkdir(parents=True, exist_ok=True)
    user = os.fdopen(terminal[shown], "w", closefd=False)

    with log.open("w", encoding="utf-8") as file:

        def say(line: str) -> None:
            for stream in (file, user):
                print(line, file=stream, flush=True)

        try:
            for stream in terminal:
                os.dup2(file.fileno(), stream)
            yield say
        except BaseException:
            # Past any buffer: what a full disk does not take must not follow on the terminal.
            with contextlib.suppress(OSError):
                os.write(2, traceback.format_exc().encode())
            raise
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError):
                    stream.flush()
            for stream, saved in terminal.items():
                os.dup2(saved, stream)


def reported(log: Path | None, work: Callable[[Say], int | None], shown: int = 2) -> int:
    """Does some work; says in one sentence on standard error what went wrong, if anything did.

    Args:
        log: where all other output and any traceback go, and at its end the status if it is not 0,
            with the sentence; None for work that is started by hand and has none.
        work: what to do; receives what prints a line for the user, and may return a status.
        shown: where the user sees lines: 2, standard error, or 1, standard output.

    Returns:
        The exit status: that of the work; 2 for a user's mistake; 4 where it could not be done: for
        want of room or a right, or because of a bug.
    """
    try:
        with _logged(log, shown) as say:
            status = work(say) or 0
        sentence = ""
    except UserError as error:
        sentence, status = str(error), error.status
    except OSError as error:
        sentence, status = (
            (
                f"Expected to read and write files. Received from the system: {error}. "
                "Make room, or give the right to do so, and run again."
            ),
            CouldNotRun.status,
        )
    except Exception as error:
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        sentence, status = (
            (f"Expected this step to work. Received an error of its own ({what}). Report it."),
            CouldNotRun.status,
        )
    noted = bool(status and log and _note(log, Ending(status, sentence)))
    if sentence and not (noted and launcher.SAID_LAST in os.environ):
        print(f"{sentence} (Log: {_shown(log)})" if log else sentence, file=sys.stderr)
    return status


def ending(log: Path) -> Ending | None:
    """How the process ended that wrote a log last, as it noted itself.

    None where it noted nothing: it went well, was killed, or found no room for the note.
    """
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _LONGEST_NOTE))
            match = _NOTE.search(file.read())
    except OSError:
        return None
    return Ending(int(match[1]), (match[2] or b"").decode("utf-8", "replace")) if match else None


def what_it_said(log: Path, printed: str) -> str:
    """The sentence of a process that failed: from its log, or, where it noted none, from stderr."""
    if end := ending(log):
        return end.sentence
    shown = printed.strip()
    return shown.rpartition(" (Log: ")[0] or shown


def _note(log: Path, end: Ending) -> bool:
    words = f"in words:\n{end.sentence}\n" if end.sentence else ""
    try:
        with log.open("a", encoding="utf-8", errors="replace") as file:
            file.write(f"\nexit status: {end.status}\n{words}")
    except OSError:
        return False  # what a full disk does not take is what is called so anyway: it could not run
    return True


def _shown(log: Path) -> str:
    return os.path.relpath(log, os.environ.get(launcher.DIRECTORY, "."))
