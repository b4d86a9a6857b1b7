"""Silent: mistakes that give the same wrong results in every run, seen in one.

Synopsis:
    errors = SilentErrors(stream)
    errors.watch(watch)               # before TensorFlow is imported

Each is noted once for each line, as a finding: name, sentence, file and line.
"""

from __future__ import annotations

import functools
from contextlib import suppress
from typing import Any

from repro.events.imports import when_imported
from repro.events.steps import Watch
from repro.events.stream import Stream
from repro.events.user_frames import frame_at, nearest

Place = tuple[str, int]

ONE_ORDER = (
    "one order in every epoch",
    "The examples are shuffled, but each epoch of `fit` goes through them in one and the same "
    "order.",
)
NOT_DETERMINISTIC = (
    "determinism asked for and off",
    "The script asks TensorFlow for deterministic operations, but they are off when the training "
    "begins.",
)


class _Data:
    """What a `fit` reads: whether it is shuffled, the line of the call, and its first epoch."""

    def __init__(self, state: Any, shuffled: bool, place: Place | None) -> None:
        self.state, self.shuffled, self.place = state, shuffled, place
        self.epoch: int | None = None
        self.first: int | None = None
        self.order: list[str] = []
        self.count = 0


class SilentErrors:
    """Looks for them as the training goes on."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._data: dict[int, _Data] = {}
        self._asked: Place | None = None
        self._began = False
        self._found: set[tuple[str, Place | None]] = set()

    def watch(self, watch: Watch) -> None:
        """Begins to look."""
        watch.on_data = self._read
        watch.on_batch = self._took
        watch.on_step = self._step
        when_imported("tensorflow", self._await_determinism)

    def _note(self, error: tuple[str, str], place: Place | None) -> None:
        name, sentence = error
        if (name, place) not in self._found:
            self._found.add((name, place))
            file, line = place or (None, None)
            finding = {"name": name, "sentence": sentence, "file": file, "line": line}
            self._stream.put({"finding": finding})

    # One order in every epoch.

    def _read(self, adapter: Any, state: Any) -> None:
        self._data[id(state)] = _Data(state, shuffled(adapter), nearest(frame_at(1)))

    def _took(self, epoch: int | None, state: Any, digest: str) -> None:
        data = self._data.get(id(state))
        if data is None or not data.shuffled or epoch is None:
            return
        if epoch != data.epoch:
            data.epoch, data.count = epoch, 0
            data.first = epoch if data.first is None else data.first
        data.count += 1
        if epoch == data.first:
            data.order.append(digest)
        elif data.count == len(data.order) > 1 and data.order[-1] == digest:
            self._note(ONE_ORDER, data.place)

    # Determinism asked for and off.

    def _await_determinism(self, tensorflow: Any) -> None:
        with suppress(AttributeError):
            place = tensorflow.config.experimental
            original = place.enable_op_determinism

            @functools.wraps(original)
            def enable_op_determinism(*args: Any, **named: Any) -> Any:
                self._asked = nearest(frame_at(1)) or self._asked
                return original(*args, **named)

            place.enable_op_determinism = enable_op_determinism

    def _step(self) -> None:
        if not self._began:
            self._began = True
            from tensorflow.python.framework import config

            if self._asked and not config.is_op_determinism_enabled():
                self._note(NOT_DETERMINISTIC, self._asked)


def shuffled(adapter: Any) -> bool:
    """Whether the data that a Keras adapter reads are shuffled, and anew in each epoch."""
    if getattr(adapter, "_shuffle", False):
        return True
    waiting = [getattr(adapter, "_dataset", None)]
    while waiting:
        dataset = waiting.pop()
        if "Shuffle" in type(dataset).__name__ or "shuffle" in type(dataset).__name__:
            return getattr(dataset, "_reshuffle_each_iteration", True) is not False
        waiting += [getattr(dataset, name, None) for name in ("_input_dataset", "_parent")]
        parents = getattr(dataset, "_parents", None) or ()
        waiting = [*filter(None.__ne__, waiting), *parents]
    return False
