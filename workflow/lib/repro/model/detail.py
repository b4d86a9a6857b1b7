"""Detail: the digest of every tensor of one step, to find the operation at which two runs part.

Synopsis:
    detail = Detail(code.path, epoch=0, step=7)
    train(code, data, parameters, out, detail)
    detail.tensors()

The digests are taken inside the step's own graph, at the wanted step alone. A tensor that is read
is no longer fused with what follows, so a step with detail may round otherwise than one without:
compare it with another one with detail.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from repro.model.checkpoint import states
from repro.model.marks import Marks, marked
from repro.model.operations import Start, Tensor, described

_TOGETHER = 64
"""Tensors that are read at once; each is kept until the last of them is there."""


def digest(array: npt.NDArray[Any]) -> str:
    """The digest of an array's type, shape and bytes: BLAKE2b, 64 bits, in hexadecimal.

    Args:
        array: any type and shape; text as TensorFlow gives it, an array of bytes objects.

    Returns:
        16 hexadecimal digits.

    Example:
        >>> digest(np.zeros(2)) == digest(-np.zeros(2))
        False
    """
    whole = hashlib.blake2b(f"{array.dtype}{array.shape}".encode(), digest_size=8)
    if array.dtype.hasobject:
        for text in array.reshape(-1):
            whole.update(f"{len(text)}:".encode() + text)
    else:
        whole.update(array.tobytes())
    return whole.hexdigest()


class Detail:
    """Looks into one step of a training.

    Args:
        path: the experiment's file or folder, for lines of the user's.
        epoch: of the step, from 0.
        step: within its epoch, from 0.
    """

    def __init__(self, path: Path, epoch: int, step: int) -> None:
        self._path, self._epoch, self._step = path, epoch, step
        self._wanted: Any = None
        self._marks: Marks | None = None
        self._described: list[Tensor] = []
        self._digests: dict[int, str] = {}

    def begin_epoch(self, epoch: int) -> None:
        """To be called before each epoch: the step is looked into in the wanted one alone."""
        self._variable().assign(self._step if epoch == self._epoch else -1)

    def tensors(self) -> list[dict[str, Any]]:
        """The step's tensors in topological order, as JSON values; each names its inputs by index.

        Returns:
            Nothing where the step was not reached or ran eagerly.
        """
        if len(self._digests) < len(self._described):
            return []
        fields = ("name", "op", "layer", "phase", "inputs", "file", "line")
        return [
            {name: getattr(each, name) for name in fields} | {"digest": self._digests[number]}
            for number, each in enumerate(self._described)
        ]

    def inlined(self, augment: Callable[..., Any]) -> Callable[..., Any]:
        """`augment`, to be traced as part of the step, so that its operations are looked into.

        Args:
            augment: the user's function, converted as `tf.function` would.
        """
        api: Any = import_module("tensorflow.python.autograph.impl.api")
        function = getattr(augment, "python_function", augment)
        converted = api.convert(recursive=True, user_requested=True)(function)

        def marked_augment(*arguments: Any) -> Any:
            assert self._marks is not None
            with self._marks.made("augmentation"):
                return converted(*arguments)

        return marked_augment

    @contextmanager
    def recording(self, model: Any, step: Any) -> Generator[None]:
        """Adds digests of all that is made inside; to be entered where the step is traced.

        Args:
            model: the keras.Model that is trained.
            step: the number of the step, a tensor or variable.
        """
        import tensorflow as tf

        if tf.executing_eagerly():
            yield
            return
        wanted = tf.equal(tf.cast(step, tf.int64), self._variable())
        starts = _starts(model)
        with marked(model) as self._marks:
            begin = self._marks.count()
            yield
        self._described = described(starts, begin, self._marks, self._path)
        for first in range(0, len(self._described), _TOGETHER):
            self._read(wanted, first)

    def _variable(self) -> Any:
        import tensorflow as tf

        if self._wanted is None:
            self._wanted = tf.Variable(-1, trainable=False, dtype=tf.int64)
        return self._wanted

    def _read(self, wanted: Any, first: int) -> None:
        import tensorflow as tf

        tensors = [each.tensor for each in self._described[first : first + _TOGETHER]]

        def read() -> Any:
            return tf.numpy_function(partial(self._keep, first), tensors, tf.int64)

        tf.cond(wanted, read, lambda: tf.constant(0, tf.int64))

    def _keep(self, first: int, *arrays: Any) -> Any:
        for number, array in enumerate(arrays, first):
            self._digests[number] = digest(np.asarray(array))
        return np.int64(0)


def _starts(model: Any) -> list[Start]:
    """The model's variables as the step finds them, with the layers that they belong to."""
    import tensorflow as tf

    found = states(model)
    layers = {path: _layer(path) for path in found.weights}
    slots = {path.replace("/", "_"): layer for path, layer in layers.items()}
    for path in found.optimizer:
        of = [name for name in slots if path.rpartition("/")[2].startswith(name)]
        layers[path] = slots[max(of, key=len)] if of else None
    layers |= {path: _layer(path) for path in found.seeds}
    variables = {**found.weights, **found.optimizer, **found.seeds}
    return [
        Start(path, layers[path], variable.value.handle, tf.convert_to_tensor(variable.value))
        for path, variable in variables.items()
    ]


def _layer(path: str) -> str | None:
    """The layer of a variable: of `sequential/lstm/lstm_cell/kernel` it is `lstm/lstm_cell`."""
    return "/".join(path.split("/")[1:-1]) or None
