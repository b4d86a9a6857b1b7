"""Two ways to show how far something is: bars on a terminal, lines elsewhere.

Synopsis:
    display = Bars(terminal) or Lines(sys.stderr)
    display.show(notes.new())       # every now and then
    display.close()
"""

import os
import time
from collections.abc import Callable, Sequence
from threading import RLock
from typing import TYPE_CHECKING, Any, TextIO

from display.notes import Note

if TYPE_CHECKING:
    from tqdm import tqdm

EVERY = 1.75  # seconds between two lines: with those between two looks, less than two
_FORMAT = "{desc}: {n_fmt} of {total_fmt} |{bar:10}| {elapsed}, {remaining} left{postfix}"
_JOB = "{desc}: {n_fmt} of {total_fmt} steps |{bar:10}| {elapsed}{postfix}"
_JOB_ALONE = "{desc}: {elapsed}"  # of which nobody knows how long it will take
_CLEAR = "\r\x1b[J"  # from here to the end of the screen, with what was typed behind a bar


class Lines:
    """A line for each thing in the making, every two seconds."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream, self._clock = stream, clock
        self._first: dict[str, tuple[float, int]] = {}
        self._notes: dict[str, Note] = {}
        self._last = float("-inf")

    def show(self, notes: Sequence[Note]) -> None:
        """Take in what is new, and print a line of each thing if it is time for it."""
        now = self._clock()
        for note in notes:
            self._first.setdefault(note.what, (now, note.done))
            self._notes[note.what] = note
        if self._notes and now - self._last >= EVERY:
            self._last = now
            self._print(list(self._notes.values()))

    def close(self) -> None:
        """Print what was finished since the last line."""
        self._print([note for note in self._notes.values() if note.finished])

    def _print(self, notes: Sequence[Note]) -> None:
        for note in notes:
            print(self._line(note), file=self.stream, flush=True)
            if note.finished:
                del self._notes[note.what], self._first[note.what]

    def _line(self, note: Note) -> str:
        begun, before = self._first[note.what]
        seconds = self._clock() - begun
        count = f"{note.done} of {note.total}" if note.total else f"{note.done}"
        time = f"{seconds:.0f} s"
        if before < note.done < note.total:
            left = seconds / (note.done - before) * (note.total - note.done)
            time += f", {left:.0f} s left"
        return f"{note.what}: {count}{note.name and ', '}{note.name} ({time})"


class Bars:
    """A bar for each thing in the making, below all that is written to the terminal meanwhile."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._bars: dict[str, tqdm[Any]] = {}
        self._half = b""  # of a line that is being written
        self._at_start = True  # of a line
        self._broken = False  # a line ended before its end

    def show(self, notes: Sequence[Note]) -> None:
        """Draw each bar once more: at least its time moves."""
        for note in notes:
            if (bar := self._bars.get(note.what)) is None:  # one without a total is not false
                bar = self._open(note)
            bar.n, bar.total = note.done, note.total or None
            if note.job:
                bar.bar_format = _JOB if note.total else _JOB_ALONE
            bar.set_postfix_str(note.name, refresh=False)
            if note.finished:
                self._clear()
                self._bars.pop(note.what).close()
        if not self._bars:
            self._end_line()
        self._draw()

    def write(self, text: bytes) -> None:
        """Write what others have to say, whole lines as long as there are bars below."""
        if self._broken:
            text, self._broken = text.removeprefix(b"\n"), False
        if self._bars:
            lines, end, self._half = (self._half + text).rpartition(b"\n")
            text = lines + end
            self._clear()
        self._write(text)
        self._draw()

    def close(self) -> None:
        """Take away all bars."""
        self._clear()
        for bar in self._bars.values():
            bar.close()
        self._bars.clear()
        self._end_line()

    def _open(self, note: Note) -> "tqdm[Any]":
        from tqdm import tqdm  # only now: all else may be there

        tqdm.monitor_interval = 0  # no thread, no lock between processes: one thread draws
        tqdm.set_lock(RLock())  # pyright: ignore[reportUnknownMemberType]
        if not self._at_start:
            self._write(b"\n")
            self._broken = True
        bar = tqdm(
            desc=note.what, initial=note.done, total=note.total or None, file=self.stream,
            leave=False, delay=float("inf"), ncols=self._columns(), bar_format=_FORMAT,
        )  # fmt: skip  # the delay: it is drawn and cleared here alone
        self._bars[note.what] = bar
        return bar

    def _draw(self) -> None:
        for row, bar in enumerate(self._bars.values()):
            bar.ncols = self._columns()
            bar.display(pos=row)

    def _columns(self) -> int:
        """One less than there are, so that no line is broken."""
        try:
            return (os.get_terminal_size(self.stream.fileno()).columns or 80) - 1
        except OSError:
            return 79

    def _clear(self) -> None:
        if self._bars:
            self.stream.write(_CLEAR)
            self.stream.flush()

    def _end_line(self) -> None:
        self._write(self._half)
        self._half = b""

    def _write(self, text: bytes) -> None:
        if text:
            self.stream.buffer.write(text)
            self.stream.buffer.flush()
            self._at_start = text.endswith(b"\n")
