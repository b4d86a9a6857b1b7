"""Op trace: the digest of every tensor of one step, to find the operation where runs diverge.

Synopsis:
    detail = Detail(code.path, epoch=0, step=7)
    train(code, data, parameters, out, detail)
    detail.tensors()

The tensors are read inside the step's own graph, and digested at the wanted step alone. One that
is read is no longer fused with what follows, so a step with detail may round otherwise than one
without: compare it with another one with detail.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from repro.variables.by_path import owners, states
from repro.watch.op_attribution import Marks, marked
from repro.watch.operations import InitialValue, Tensor, described

_TOGETHER = 64
"""Tensors that are read at once; each is kept until the last of them is there."""


def digest(array: npt.NDArray[Any]) -> str:
    """The digest of an array's type, shape and bytes: BLAKE2b, 64 bits, in hexadecimal.

    Text is as TensorFlow gives it, an array of bytes objects.
    """
    whole = hashlib.blake2b(f"{array.dtype}{array.shape}".encode(), digest_size=8)
    if array.dtype.hasobject:
        for text in array.reshape(-1):
            whole.update(f"{len(text)}:".encode() + text)
    else:
        whole.update(array.tobytes())
    return whole.hexdigest()


class TensorRow(TypedDict):
    """What detail.json holds of one tensor, see `repro.watch.operations.Tensor`."""

    name: str
    op: str
    layer: str | None
    phase: str
    inputs: tuple[int, ...]
    file: str | None
    line: int | None
    digest: str


class Detail:
    """Looks into one step of a training; `epoch`, and `step` within it, count from 0."""

    def __init__(self, path: Path, epoch: int, step: int) -> None:
        self._path = Path(os.path.abspath(path))  # noqa: PTH100 (links stay, as in tracebacks)
        self._epoch, self._step = epoch, step
        self._wanted = -1
        self._marks: Marks | None = None
        self._described: list[Tensor] = []
        self._digests: dict[int, str] = {}

    def begin_epoch(self, epoch: int) -> None:
        """To be called before each epoch: the step is looked into in the wanted one alone."""
        self._wanted = self._step if epoch == self._epoch else -1

    def tensors(self) -> list[TensorRow]:
        """The step's tensors in topological order; each names its inputs by index.

        None where the step was not reached or ran eagerly.
        """
        if len(self._digests) < len(self._described):
            return []
        return [
            {
                "name": each.name, "op": each.op, "layer": each.layer, "phase": each.phase,
                "inputs": each.inputs, "file": each.file, "line": each.line,
                "digest": self._digests[number],
            }
            for number, each in enumerate(self._described)
        ]  # fmt: skip

    def marking(self, augment: Callable[..., Any]) -> Callable[..., Any]:
        """`augment`, whose operations are told apart from those of the model."""

        def marked_augment(*arguments: Any) -> Any:
            with self._marks.made("augmentation") if self._marks else nullcontext():
                return augment(*arguments)

        return marked_augment

    @contextmanager
    def recording(self, model: Any, step: Any) -> Generator[None]:
        """Adds digests of all that is made inside; to be entered where the step is traced.

        `step` is the number of the step, a tensor or variable.
        """
        import tensorflow as tf

        if tf.executing_eagerly():
            yield
            return
        number = tf.convert_to_tensor(step)
        starts = _starts(model)
        with marked(model) as self._marks:
            begin = self._marks.count()
            yield
        self._described = described(starts, begin, self._marks, self._path)
        for first in range(0, len(self._described), _TOGETHER):
            tensors = [each.tensor for each in self._described[first : first + _TOGETHER]]
            # Not inside tf.cond: tracing that takes several times as long for each tensor.
            tf.numpy_function(partial(self._read, first), [number, *tensors], tf.int64)

    def _read(self, first: int, step: Any, *arrays: Any) -> Any:
        if step == self._wanted:
            for number, array in enumerate(arrays, first):
                self._digests[number] = digest(np.asarray(array))
        return np.int64(0)


def _starts(model: Any) -> list[InitialValue]:
    """The model's variables as the step finds them, with the layers that they belong to."""
    import tensorflow as tf

    found, of_layer = states(model), owners(model)
    layers = {path: of_layer.get(id(v)) for path, v in {**found.weights, **found.seeds}.items()}
    slots = {path.replace("/", "_"): layers[path] for path in found.weights}
    for path in found.optimizer:
        of = [name for name in slots if path.rpartition("/")[2].startswith(name)]
        layers[path] = slots[max(of, key=len)] if of else None
    variables = {**found.weights, **found.seeds, **found.optimizer}
    return [
        InitialValue(
            path, layers[path], variable.value.handle, tf.convert_to_tensor(variable.value)
        )
        for path, variable in variables.items()
    ]
