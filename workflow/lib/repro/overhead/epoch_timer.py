"""Epoch timer: notes what the epochs of a training take, and ends it in time.

Synopsis:
    clock = Clock(seconds=5)
    model.fit(x, y, epochs=30, callbacks=[timer.callback()])
    timer.spent(steps, "fit").wall_s
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import dataclass
from typing import Any

from repro.core.errors import UserError

LEAST = 2
"""Epochs that are timed at least, if the training has them; one more comes before them."""


@dataclass(frozen=True)
class Timing:
    """What one training took: wall and processor seconds of a step, and the most memory.

    `steps` are the batches of an epoch, `epochs` those that were timed, `gpus` the names of the
    devices that TensorFlow sees.
    """

    wall_s: float
    processor_s: float
    peak_bytes: int
    steps: int
    epochs: int
    loop: str
    gpus: tuple[str, ...]


class Clock:
    """Notes when each epoch ends, and ends the training once the time is over."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends: list[tuple[float, float]] = []
        self._peak = 0

    def callback(self) -> Any:
        """This, as a Keras callback; acts at the ends of epochs alone, so costs all the same."""
        import keras

        clock = self

        class Ends(keras.callbacks.Callback):
            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                del epoch, logs
                if clock.over():
                    self.model.stop_training = True

        return Ends()

    def over(self) -> bool:
        """Notes the end of an epoch; whether it was the last."""
        self._ends.append((time.perf_counter(), time.process_time()))
        # Here, since what is written after the last epoch is no part of the training.
        self._peak = peak()
        return len(self._ends) > LEAST and self._ends[-1][0] - self._ends[0][0] >= self._seconds

    def spent(self, steps: int, loop: str) -> Timing:
        """What a step took, from the end of the first epoch to the end of the last.

        Raises:
            UserError: the training ended before one epoch was timed.
        """
        epochs = len(self._ends) - 1
        if epochs < 1:
            raise UserError(
                "Expected a training of two epochs or more, the first of which is not timed. "
                f"Received the end of {len(self._ends)}. Let it go on for longer."
            )
        wall, processor = (b - a for a, b in zip(self._ends[0], self._ends[-1], strict=True))
        every = epochs * steps
        return Timing(wall / every, processor / every, self._peak, steps, epochs, loop, _gpus())


def peak() -> int:
    """The most memory that this process held at once, in bytes: `getrusage`'s `ru_maxrss`."""
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _gpus() -> tuple[str, ...]:
    import tensorflow as tf

    details = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU"))
    return tuple(str(detail.get("device_name", "unknown")) for detail in details)
