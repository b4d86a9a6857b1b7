"""Recorded values: a model's weights after chosen steps of a training, a file for each step.

Synopsis:
    values = RecordedValues(folder, [(0, 7), (0, 8)], every=1)
    train(code, data, parameters, out, values)
    read(folder / "0-7.safetensors")

They are read inside the step's own graph, behind all that the step does, and only at the chosen
steps; no value of the training itself is read in another way, so its bits stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from repro.core.atomic import write_bytes
from repro.variables.by_path import by_path
from repro.watch.op_trace import Detail


class RecordedValues:
    """Writes the weights after each of `steps`, (epoch, step) from 0, into a folder.

    Of every variable each `every`th element is kept.
    """

    def __init__(self, folder: Path, steps: Iterable[tuple[int, int]], every: int = 1) -> None:
        self._folder, self._every = folder, every
        self._steps = {(epoch, step) for epoch, step in steps}
        self._epoch = -1
        self._names: list[str] = []

    def begin_epoch(self, epoch: int) -> None:
        """To be called before each epoch."""
        self._epoch = epoch

    def marking(self, augment: Callable[..., Any]) -> Callable[..., Any]:
        """`augment` as it is: none of its operations are looked at."""
        return augment

    @contextmanager
    def recording(self, model: Any, step: Any) -> Generator[None]:
        """To be entered where the step is traced or runs; `step` is its number, a tensor."""
        import tensorflow as tf

        yield
        number, variables = tf.convert_to_tensor(step), by_path(model.weights)
        self._names = list(variables)

        def write() -> Any:
            values = [variable.value for variable in variables.values()]
            return tf.numpy_function(self._write, [number, *values], tf.int64)

        chosen = tf.numpy_function(self._chosen, [number], tf.bool)
        chosen.set_shape([])
        tf.cond(chosen, write, lambda: tf.constant(0, tf.int64))

    def _chosen(self, step: Any) -> Any:
        return np.bool_((self._epoch, int(step)) in self._steps)

    def _write(self, step: Any, *arrays: Any) -> Any:
        from safetensors.numpy import save as serialised

        kept = {
            name: np.ascontiguousarray(np.asarray(array).reshape(-1)[:: self._every])
            for name, array in zip(self._names, arrays, strict=True)
        }
        write_bytes(self._folder / f"{self._epoch}-{int(step)}.safetensors", serialised(kept))
        return np.int64(0)


Look = Detail | RecordedValues
"""What a trial looks into while it trains."""
