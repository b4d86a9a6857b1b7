"""Progress: what is being done, how far it is, and how long it will take yet.

Synopsis:
    progress = Progress(sys.stderr)
    with progress.of("run 2 of 2", expected=12.0): ...     # progress.show(seconds) meanwhile
    progress.line("Run 1 took 12 s.")
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

EVERY_LINE = 15.0
"""Seconds between two lines where nobody watches a terminal."""
EVERY_SIGHT = 0.5
_WIDTH = 79


class Progress:
    """One line that is written over on a terminal; elsewhere a line now and then."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._terminal = stream.isatty()
        self._last, self._shown = clock(), False
        self.known: str | None = None
        """The answer that is known by now."""

    def answer(self, text: str) -> None:
        """Prints an answer, of which more may be found out yet."""
        self.known = text
        self.line(text)

    def line(self, text: str) -> None:
        """Prints a line that stays."""
        self.clear()
        print(text, file=self._stream, flush=True)

    def show(self, what: str, seconds: float, expected: float | None = None) -> None:
        """Shows how far something is, if it is time for it."""
        now = self._clock()
        if now - self._last < (EVERY_SIGHT if self._terminal else EVERY_LINE):
            return
        self._last = now
        text = f"{what}: {duration(seconds)}"
        if expected and seconds < expected:
            text += f" of about {duration(expected)}, {duration(expected - seconds)} left"
        elif expected:
            text += f", longer than the {duration(expected)} of run 1"
        if self._terminal:
            self._stream.write(f"\r\x1b[K{text[:_WIDTH]}")
            self._stream.flush()
            self._shown = True
        else:
            print(text, file=self._stream, flush=True)

    def clear(self) -> None:
        """Takes away what will be written over."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._shown = False


def duration(seconds: float) -> str:
    """A time in words: "0.4 s", "12 s", "3 min 5 s", "2 h 10 min"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def seconds_of(text: str) -> float:
    """The seconds of "90", "90s", "10m" or "2h".

    Raises:
        ValueError: it is none of these, or not more than nothing.
    """
    factor = {"s": 1, "m": 60, "h": 3600}.get(text[-1:], 0)
    seconds = float(text[:-1]) * factor if factor else float(text)
    if not 0 < seconds < float("inf"):
        raise ValueError(text)
    return seconds
