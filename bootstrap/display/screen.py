"""The screen: something moves on it while ./run sets up, by what installers note (progress.py).

Synopsis:
    with screen.shown() as notes:
        status = subprocess.run(["snakemake", "all"]).returncode
    if status and notes.refusal: …

On a terminal, bars are drawn below all that is written meanwhile: this process and its children
write to another terminal then, whose text is copied to above the bars, a line at a time. Elsewhere
there are lines. Where nothing is installed, nothing is drawn. Jobs have bars as well: what
Snakemake starts and ends is noted by the logger (`failures`), how far a training is by itself.
"""

import importlib.util
import os
import select
import sys
import termios
import threading
import time
import traceback
import tty
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

from repro.launch.supervise import start_without_signals

from display import progress
from display.bars import Bars, Lines
from display.notes import Notes

PACE = 0.25  # seconds between two looks at the notes
CHUNK = 65536
_OUT, _ERR = 1, 2  # also where children write


@contextmanager
def shown() -> Generator[Notes]:
    """Show what this process and its children note of a set-up; after the body, all is read."""
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="repro-progress-"))
        notes = Notes(Path(folder) / "notes")
        stack.enter_context(_announced(progress.FILE, notes.file))
        if _can_draw():
            from repro.launch.launcher import JOBS

            jobs = Notes(Path(folder) / "jobs")
            jobs.file.touch()  # a job on another machine makes none there
            stack.enter_context(_announced(JOBS, jobs.file))
            real = stack.enter_context(_duplicated(_ERR))
            copied, other = stack.enter_context(_terminal(like=real.fileno()))
            stack.enter_context(_watched(notes, Bars(real), copied, jobs))
            stack.enter_context(_written_to(other))
        else:
            stack.enter_context(_watched(notes, Lines(sys.stderr)))
        yield notes


@contextmanager
def _announced(variable: str, file: Path) -> Generator[None]:
    """Let this process and its children know the file."""
    before = os.environ.get(variable)
    os.environ[variable] = str(file)
    try:
        yield
    finally:
        del os.environ[variable]
        if before is not None:
            os.environ[variable] = before


def _can_draw() -> bool:
    """Whether there is a terminal that moves its cursor, and tqdm, which the tools bring."""
    moves = os.isatty(_ERR) and os.environ.get("TERM", "dumb") != "dumb"
    return moves and importlib.util.find_spec("tqdm") is not None


@contextmanager
def _duplicated(number: int) -> Generator[TextIO]:
    """Open what is open under that number once more."""
    file = os.fdopen(os.dup(number), "w", encoding=sys.stderr.encoding, errors="backslashreplace")
    try:
        yield file
    finally:
        with suppress(OSError):  # the terminal is gone
            file.close()


@contextmanager
def _terminal(like: int) -> Generator[tuple[int, int]]:
    """Give two ends of a terminal: what is written to the second can be read from the first."""
    copied, other = os.openpty()
    try:
        tty.setraw(other)  # the real one makes of a line's end what it should be
        termios.tcsetwinsize(other, termios.tcgetwinsize(like))
        yield copied, other
    finally:
        os.close(other)
        os.close(copied)


@contextmanager
def _written_to(other: int) -> Generator[None]:
    """Let all that goes to the real terminal go to another one."""
    device = os.fstat(_ERR).st_rdev
    replaced = {fd: os.dup(fd) for fd in (_OUT, _ERR) if os.fstat(fd).st_rdev == device}
    for fd in replaced:
        os.dup2(other, fd)
    try:
        yield
    finally:
        for fd, real in replaced.items():
            os.dup2(real, fd)
            os.close(real)


@contextmanager
def _watched(
    notes: Notes, display: Bars | Lines, copied: int | None = None, jobs: Notes | None = None
) -> Generator[None]:
    """Watch the notes, and copy what is written meanwhile, beside the body."""
    ended, end = os.pipe()
    watch = (notes, display, ended, copied, jobs)
    thread = threading.Thread(target=_watch, args=watch, daemon=True, name="screen")
    start_without_signals(thread)
    try:
        yield
    finally:
        os.close(end)
        thread.join()
        os.close(ended)


def _watch(
    notes: Notes, display: Bars | Lines, ended: int, copied: int | None, jobs: Notes | None
) -> None:
    def plainly(text: bytes) -> None:
        with suppress(OSError):  # the terminal is gone
            display.stream.buffer.write(text)
            display.stream.buffer.flush()

    def look() -> None:
        new = [*notes.new(), *(jobs.new() if jobs else ())]
        if notes.refusal:  # nothing goes on
            display.close()
        else:
            display.show(new)

    write = display.write if isinstance(display, Bars) else plainly
    try:
        _follow(look, write, ended, copied)
        display.close()
    except Exception as error:
        if not isinstance(error, OSError):
            plainly(traceback.format_exc().encode())
        # Who writes to the terminal must not wait for ever for someone to read it.
        _follow(lambda: None, plainly, ended, copied)


def _follow(
    look: Callable[[], None], write: Callable[[bytes], None], ended: int, copied: int | None
) -> None:
    """Copy what is written, and look at the notes at a steady pace; at the end, what is left."""
    sources = [ended] if copied is None else [ended, copied]
    due, over = 0.0, False
    while not over:
        ready, _, _ = select.select(sources, [], [], max(0.0, due - time.monotonic()))
        if copied is not None and copied in ready:
            write(os.read(copied, CHUNK))
        over = ready == [ended]
        if over or time.monotonic() >= due:
            look()
            due = time.monotonic() + PACE
