"""Silent: mistakes that give the same wrong results in every run, seen in one.

Synopsis:
    errors = SilentErrors(stream)
    errors.watch(watch, ledger)       # before TensorFlow is imported

Each is noted once for each line, as a finding: name, sentence, file and line.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from repro.events.batches import digest_in, rows_in, want_rows
from repro.events.imports import when_imported
from repro.events.steps import Watch
from repro.events.stream import Stream
from repro.events.user_frames import Place, frame_at, nearest
from repro.hook.frozen_noise import FrozenNoise
from repro.hook.one_order import Order, shuffling
from repro.hook.overlapping_splits import overlapping
from repro.hook.reset_generators import ResetGenerators
from repro.ledger.ledger import Ledger

ONE_ORDER = (
    "one order for every epoch",
    "The examples are shuffled, but each epoch of `fit` goes through them in one and the same "
    "order.",
)
NOT_DETERMINISTIC = (
    "determinism asked for and off",
    "The script asks TensorFlow for deterministic operations, but they are off when the training "
    "begins.",
)

FROZEN_NOISE = (
    "frozen noise",
    "The same random numbers are drawn in every epoch: in a pipeline, a random operation with a "
    "seed, its own or the global one, begins again with each iterator.",
)
OVERLAPPING = (
    "overlapping splits",
    "Training and validation data are cut from a dataset that is reshuffled each time, so that "
    "validation examples are also trained on.",
)
RESET = (
    "generator reset in every epoch",
    "While the model is trained, a generator of random numbers is set to the same seed again and "
    "again, so that the same order is drawn in every epoch, or the same numbers for every batch.",
)


class _Read:
    """Data that Keras began to read, and the line that made it do so."""

    def __init__(self, adapter: Any, place: Place | None) -> None:
        self.dataset, self.place = getattr(adapter, "_dataset", None), place


class SilentErrors:
    """Looks for them as the training goes on."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._orders: dict[int, tuple[Any, Order, Place | None]] = {}
        self._last: _Read | None = None
        self._fitted: _Read | None = None
        self._noise = FrozenNoise()
        self._resets = ResetGenerators()
        self._asked: Place | None = None
        self._began = False
        self._found: set[tuple[str, Place | None]] = set()

    def watch(self, watch: Watch, ledger: Ledger) -> None:
        """Begins to look."""

        def safely(look: Callable[..., None]) -> Callable[..., None]:
            def looks(*args: Any) -> None:
                try:
                    look(*args)
                except Exception as error:  # the script goes on, and so does the watching
                    watch.left_out(f"silent errors ({type(error).__name__}: {error})")

            return looks

        watch.on_data, watch.on_batch = safely(self._read), safely(self._took)
        watch.needs_batch = self._needs_batch
        watch.on_fit, watch.on_test = safely(self._fit), safely(self._test)
        watch.on_step, watch.on_stepped = safely(self._step), safely(self._stepped)
        watch.on_made, ledger.on_note = safely(self._resets.restarted), safely(self._resets.noted)
        when_imported("tensorflow", self._await_determinism)

    def _note(self, error: tuple[str, str], place: Place | None) -> None:
        name, sentence = error
        if (name, place) not in self._found:
            self._found.add((name, place))
            file, line = place or (None, None)
            finding = {"name": name, "sentence": sentence, "file": file, "line": line}
            self._stream.put({"finding": finding})

    def _read(self, adapter: Any, marked: Any) -> None:
        place = nearest(frame_at(1))
        self._last = _Read(adapter, place)
        how = shuffling(adapter)
        if how is not None:
            state, rows = digest_in(marked), rows_in(marked)

            def enough() -> None:
                want_rows(marked, wanted=False)

            want_rows(marked, wanted=True)
            order = Order(lambda: [row.tobytes() for row in rows.numpy()], how, enough)
            self._orders[id(state)] = (state, order, place)

    # One order for every epoch.

    def _took(self, epoch: int | None, state: Any, digest: str) -> None:
        _, order, place = self._orders.get(id(state), (None, None, None))
        if order is not None and epoch is not None and order.took(epoch, digest):
            self._note(ONE_ORDER, place)

    def _needs_batch(self, state: Any) -> bool:
        """Whether these batches may still show one order, or a generator that is reset."""
        _, order, _ = self._orders.get(id(state), (None, None, None))
        return self._resets.needs_batches or (order is not None and order.open)

    # Overlapping splits.

    def _fit(self) -> None:
        self._fitted, self._last = self._last, None
        self._resets.restarted()

    def _test(self) -> None:
        """Evaluation begins: within `fit`, that of the validation data, called from its line."""
        self._resets.tested()
        training, validation, self._last = self._fitted, self._last, None
        if training is None or validation is None or training.place != validation.place:
            return
        if overlapping(training.dataset, validation.dataset):
            self._note(OVERLAPPING, training.place)

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

    def _step(self, model: str, iterator: Any) -> None:
        if not self._began:
            self._began = True
            from tensorflow.python.framework import config

            if config.is_op_determinism_enabled():
                self._stream.put({"deterministic": True})
            elif self._asked:
                self._note(NOT_DETERMINISTIC, self._asked)
        if iterator is not None:
            for place in self._noise.stepped(model, iterator):
                self._note(FROZEN_NOISE, place)

    # A generator that is reset.

    def _stepped(self, epoch: int | None, batch: str | None) -> None:
        for place in self._resets.stepped(epoch, batch):
            self._note(RESET, place)
