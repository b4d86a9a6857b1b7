"""Reporting: work whose output goes to a log, and whose failure is told in one sentence.

Synopsis:
    status = reported(log, work)       # work(say): say("a line") reaches the user
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Callable, Generator
from pathlib import Path

from repro.core import launch
from repro.core.errors import UserError

Say = Callable[[str], None]
"""Prints a line where the user sees it, though all other output goes to the log."""


@contextlib.contextmanager
def _logged(log: Path) -> Generator[Say]:
    """Sends all output of this process, also that of its libraries, to the log."""
    terminal = {stream: os.dup(stream) for stream in (1, 2)}
    log.parent.mkdir(parents=True, exist_ok=True)
    errors = os.fdopen(terminal[2], "w", closefd=False)
    with log.open("w", encoding="utf-8") as file:
        try:
            for stream in terminal:
                os.dup2(file.fileno(), stream)
            yield lambda line: print(line, file=errors, flush=True)
        except BaseException:
            # Past any buffer: what a full disk does not take must not follow on the terminal.
            with contextlib.suppress(OSError):
                os.write(2, traceback.format_exc().encode())
            raise
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError):
                    stream.flush()
            for stream, kept in terminal.items():
                os.dup2(kept, stream)


def reported(log: Path, work: Callable[[Say], None]) -> int:
    """Does some work; says in one sentence on standard error what went wrong, if anything did.

    Args:
        log: where all other output and any traceback go.
        work: what to do; receives what prints a line to standard error.

    Returns:
        The exit status: 0; 2 for a user's mistake or a full disk; 1 for a bug.
    """
    try:
        with _logged(log) as say:
            work(say)
        return 0
    except UserError as error:
        sentence, status = str(error), 2
    except OSError as error:
        sentence, status = (
            (
                f"Expected to read and write files. Received from the system: {error}. "
                "Make room, or give the right to do so, and run again."
            ),
            2,
        )
    except Exception as error:
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        sentence, status = (
            (f"Expected this step to work. Received an error of its own ({what}). Report it."),
            1,
        )
    print(f"{sentence} (Log: {_shown(log)})", file=sys.stderr)
    return status


def _shown(log: Path) -> str:
    return os.path.relpath(log, os.environ.get(launch.DIRECTORY, "."))
