"""Training progress: how far a training is, looked at now and then from beside it.

Synopsis:
    report = ProgressReport(job("digits", "original", 0), say)
    with followed(lambda: Seen(epoch, steps, loss), extent, report):
        model.fit(…)

The training itself does nothing for it: a thread of its own asks, every few seconds, for what the
steps have recorded by then. Durations are measured by a clock that nobody sets, and nothing of it
goes into a result.
"""

from __future__ import annotations

import json
import math
import os
import threading
import time
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from repro.launch import launcher
from repro.launch.supervise import start_without_signals

EVERY_LINE = 10.0
"""Seconds between two lines."""
EVERY_NOTE = 1.0
"""Seconds between two looks where a bar is drawn."""


def job(experiment: str, run: str, seed: int) -> str:
    """What a training is called, as its rule calls it."""
    return f"train {experiment}, {run}, seed {seed}"


@dataclass(frozen=True)
class Seen:
    """Where a training is: steps done of an epoch, and a loss by then, if one is known."""

    epoch: int
    steps: int
    loss: float | None = None


@dataclass(frozen=True)
class Extent:
    """How long a training is: its epochs, the steps of each, and the steps of all."""

    epochs: int
    steps: int
    all_steps: int


class ProgressReport:
    """Puts what was seen into words, and hands on a line, or a note for a bar, when it is time.

    Args:
        name: of the job.
        say: prints a line where the user sees it, and into the log.
        notes: an open file for notes; None where no bar is drawn.
    """

    def __init__(
        self, name: str, say: Callable[[str], None], notes: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.name, self._notes, self._clock = name, notes, clock
        self._say = say if notes is None else print  # beside a bar, a line is for the log alone
        self.every = EVERY_LINE if notes is None else EVERY_NOTE
        self._due = self._clock() + EVERY_LINE
        self._from = clock(), 0
        self._moved = False

    def begin(self, seen: Seen, extent: Extent) -> None:
        """Takes in where the training begins, which is later where it was resumed."""
        self._from = self._clock(), _done(seen, extent)
        self._due = self._clock() + EVERY_LINE

    def show(self, seen: Seen, extent: Extent) -> None:
        """Takes in where the training is."""
        now, done = self._clock(), _done(seen, extent)
        begun, before = self._from
        epoch, step, *rest = _words(seen, extent)
        if done > before and now > begun:
            rate = (done - before) / (now - begun)
            # Where an epoch begins, it is seen a moment before its steps count from 0 again.
            left = timedelta(seconds=round(max(extent.all_steps - done, 0) / rate))
            rest += [f"{float(f'{rate:.3g}'):g} steps/s", f"{left} left"]
            if not self._moved:  # what came before held the start, which says nothing of the rest
                self._moved, self._from = True, (now, done)
        if self._notes is not None:
            self._note(done, extent.all_steps, ", ".join([epoch, *reversed(rest)]))
        if now >= self._due:
            self._due = now + EVERY_LINE
            self._say(f"{self.name}: {', '.join([epoch, step, *rest])}")

    def _note(self, done: int, total: int, words: str) -> None:
        # One step less: at the end of all the job is not done yet, and whoever runs it says so.
        entry = {"what": self.name, "done": min(done, total - 1), "total": total, "name": words}
        assert self._notes is not None
        line = json.dumps({**entry, "job": True})
        os.write(self._notes, f"{line}\n".encode())  # one write: lines stay whole


def _done(seen: Seen, extent: Extent) -> int:
    return seen.epoch * extent.steps + seen.steps


def _words(seen: Seen, extent: Extent) -> Generator[str]:
    yield f"epoch {seen.epoch + 1} of {extent.epochs}"
    yield f"step {seen.steps} of {extent.steps}"
    if seen.loss is not None and not math.isnan(seen.loss):
        yield f"loss {seen.loss:.4g}"


@contextmanager
def followed(
    look: Callable[[], Seen], extent: Extent, report: ProgressReport | None,
    wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
) -> Generator[None]:  # fmt: skip
    """Lets a thread look at a training and report, until the end; without a report, nothing.

    Args:
        look: says where the training is; it is asked from the thread.
        extent: how long the training is.
        report: takes it.
        wait: waits for the end, at most so many seconds, and says whether it has come.
    """
    if report is None:
        yield
        return
    ended = threading.Event()
    report.begin(look(), extent)

    def follow() -> None:
        try:
            while not wait(ended, report.every):
                report.show(look(), extent)
        except Exception:  # what nobody can see stops no training
            traceback.print_exc()

    thread = threading.Thread(target=follow, daemon=True, name="progress")
    start_without_signals(thread)
    try:
        yield
    finally:
        ended.set()
        thread.join()


def notes() -> int | None:
    """The open file for notes, if whoever started this process wants some."""
    number = os.environ.get(launcher.NOTES, "")
    return int(number) if number.isdecimal() else None
