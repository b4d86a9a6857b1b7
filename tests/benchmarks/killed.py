"""Killed: a training in a process of its own that can be killed, also at a chosen point.

Synopsis:
    child = Child(train, code, data, out, epochs, kept, ("before the rename", 2))
    lines = child.ended()              # what it told before it ended or was killed
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from repro.core.digest import sha256_tree
from repro.core.parameters import (
    PrepareParameters,
    RawData,
    Threads,
    Training,
    TrainParameters,
)
from repro.core.seeding import Seeds
from repro.data.user_code import load

SEED, THREADS = 0, Threads(intra=1, inter=1)
FILES = ("weights.safetensors", "trace.jsonl", "history.csv")
TABLE = Path(__file__).parents[1] / "irreproducible" / "digits.csv"
SPLIT = {"train": 0.8, "validation": 0.1, "test": 0.1}

Say = Callable[..., None]
Point = tuple[str, int]
"""Where to die, and at which time that it is reached."""


class Child:
    """Runs `work(say, *arguments)` in a forked process.

    Args:
        work: what to do; `say(name=value)` tells something, at once.
        arguments: of the work.
    """

    def __init__(self, work: Callable[..., None], *arguments: Any) -> None:
        reading, writing = os.pipe()
        self._pipe, self._timer = os.fdopen(reading, encoding="utf-8"), threading.Timer(0, int)
        self.killed, self._lines = False, list[str]()
        self._number = os.fork()
        if self._number == 0:
            _work(writing, work, arguments)
        os.close(writing)

    def kill_after(self, seconds: float) -> None:
        """Kills it so long after it began to train, unless it has ended before."""
        while (line := self._pipe.readline()) and "began" not in line:
            self._lines.append(line)
        self._lines.append(line)
        self._timer = threading.Timer(seconds, os.kill, (self._number, signal.SIGKILL))
        self._timer.start()

    def ended(self) -> list[dict[str, Any]]:
        """Waits for its end; returns what it told."""
        lines = [*self._lines, *self._pipe.read().splitlines(keepends=True)]
        # The number stays its own until waitpid has returned.
        os.waitid(os.P_PID, self._number, os.WEXITED | os.WNOWAIT)
        self._timer.cancel()
        _, status = os.waitpid(self._number, 0)
        self.killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        if not self.killed and status:
            raise SystemExit("Expected a child to do its work. Received a failure; see above.")
        return [json.loads(line) for line in lines if line.endswith("\n")]


def _work(writing: int, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    def say(**told: Any) -> None:
        os.write(writing, (json.dumps(told) + "\n").encode())

    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        work(say, *arguments)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def prepare(_say: Say, code: Path, out: Path) -> None:
    """Prepares the data of an experiment."""
    from repro.data import prepare as data

    table = RawData("", sha256_tree(TABLE))
    parameters = PrepareParameters(
        threads=THREADS, data={"": table}, data_seed=0, settings={}, split=SPLIT
    )
    data.prepare(load(code), {"": TABLE}, parameters, out)


def callbacks(code: Path) -> list[Any]:
    """What depends on the epochs so far; a rate that follows a schedule, or two, is left alone."""
    import keras

    loss = "generator_loss" if code.stem == "gan" else "loss"
    found: list[Any] = [
        keras.callbacks.EarlyStopping(loss, patience=100, restore_best_weights=True, mode="min")
    ]
    if code.stem not in ("gan", "cnn_with_batch_norm"):
        found += [keras.callbacks.ReduceLROnPlateau(loss, factor=0.7, patience=2, min_delta=0.2)]
    return found


def begun(code: Path) -> Any:
    """The experiment's code, in a process whose seeds and threads are set."""
    from repro.model.determinism import begin

    begin(Seeds(SEED)("global"), THREADS)
    return load(code)


def train(
    say: Say, code: Path, data: Path, out: Path, epochs: int,
    kept: Path | None = None, point: Point | None = None,
) -> None:  # fmt: skip
    """Trains as the workflow does, with a checkpoint after every epoch."""
    from repro.checkpoint import resume
    from repro.model import training

    experiment = begun(code)
    vars(experiment.module)["callbacks"] = lambda *_: callbacks(code)
    keeping = resume.CheckpointPolicy(kept, "key", 0) if kept else None
    how = Training(epochs=epochs, batch_size=64, loop="auto", trace="step", threads=THREADS)
    parameters = TrainParameters(threads=THREADS, settings={}, seed=SEED, training=how)
    _tell(say)
    if point:
        _die_at(*point)
    done = training.train(experiment, data, parameters, out, None, keeping)
    say(loop=done.loop, resumed=done.resumed, resumable=done.resumable)


def _tell(say: Say) -> None:
    """Tells when and at which epoch training begins, and of every checkpoint there for good."""
    from repro.checkpoint import resume
    from repro.model import training

    own_add, own_begin = resume.CheckpointStore.add, resume.Resume.continue_trace
    own_run: Any = training._run

    def run(*arguments: Any) -> None:
        say(began=time.monotonic())
        own_run(*arguments)
        say(ended=time.monotonic())

    def add(self: Any, snapshot: Any, trace: Path) -> None:
        own_add(self, snapshot, trace)
        say(kept=snapshot.epoch)

    def begin(self: Any, trace: Any) -> None:
        say(first=self.first)
        own_begin(self, trace)

    training._run = run
    resume.CheckpointStore.add, resume.Resume.continue_trace = add, begin  # type: ignore[method-assign]


def _die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def _half_written(file: Any) -> Iterator[Any]:
    class Half:
        def write(self, content: bytes) -> None:
            file.write(content[: len(content) // 2])
            file.flush()
            if len(content) > 1000:  # not the line before
                _die()

    with file:
        yield Half()


def _die_at(point: str, number: int) -> None:
    """Arranges for this process to die when it reaches a point for the so-manyth time."""
    from repro.checkpoint import store
    from repro.model import training

    left = iter(range(number - 1, -1, -1))
    own_open, own_replace = Path.open, Path.replace

    def mine(path: Path) -> bool:
        return path.name.startswith(".partial.epoch") and next(left, 1) == 0

    def opened(self: Path, *arguments: Any, **named: Any) -> Any:
        file = own_open(self, *arguments, **named)
        return _half_written(file) if mine(self) else file

    def replaced(self: Path, target: Path) -> Path:
        due = mine(self)
        if due and point == BEFORE:
            _die()
        result = own_replace(self, target)
        if due:
            _die()
        return result

    if point == WRITING:
        Path.open = opened  # type: ignore[method-assign,assignment]
    elif point in (BEFORE, AFTER):
        Path.replace = replaced  # type: ignore[method-assign,assignment]
    elif point == TRACE:
        store.flush = lambda path: _die() if next(left, 1) == 0 else None
    else:
        training.save = _die  # type: ignore[assignment]


WRITING, BEFORE, AFTER = "inside the write", "before the rename", "after the rename"
TRACE, OUTPUTS = "after the trace's copy", "before the outputs"
POINTS = (WRITING, BEFORE, AFTER, TRACE, OUTPUTS)
