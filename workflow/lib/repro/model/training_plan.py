"""Training plan: what to train on, in which order, and how long; batches as `fit` takes them.

Synopsis:
    plan.steps, plan.order(epoch), plan.batches(epoch)
    columns(arrays)                  # (x,), (x, y) or (x, y, sample_weight)
    unpacked(batch)                  # (x, y, sample_weight), None for what is not there
    require_whole_batches(model, "train", arrays, batch_size)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from repro.arrays.nested import rebuilt
from repro.core.errors import UserError
from repro.core.parameters import Training
from repro.core.text import counted
from repro.data.order import Int64, order
from repro.watch.training_progress import Extent

Array = npt.NDArray[Any]
_FED = ("x", "y", "sample_weight")


# Asked for twice in an epoch, by the loop and by the trace.
@lru_cache(maxsize=1)
def _order(seed: int, epoch: int, size: int) -> Int64:
    rows = order(seed, epoch, size)
    rows.setflags(write=False)
    return rows


@dataclass(frozen=True)
class Plan:
    """What to train on, in which order, and how long.

    `last_epoch` and `last_steps` say where a shortened run stops: after so many steps of
    that epoch.
    """

    arrays: Mapping[str, Array]
    validation: Mapping[str, Array]
    training: Training
    seed: int
    last_epoch: int
    last_steps: int

    @property
    def batch_size(self) -> int:
        """The examples in a batch."""
        return self.training.batch_size

    @property
    def epochs(self) -> int:
        """How many epochs a whole training has."""
        return self.training.epochs

    @property
    def size(self) -> int:
        """The number of training examples."""
        return len(self.arrays["id"])

    @property
    def steps(self) -> int:
        """Batches in a whole epoch; the last one may be smaller, unless it is left out."""
        return self.training.steps(self.size)

    @property
    def even(self) -> bool:
        """Whether all batches have the same size."""
        return self.training.drop_remainder or self.size % self.batch_size == 0

    def steps_of(self, epoch: int) -> int:
        """Batches to be run in this epoch."""
        return self.last_steps if epoch == self.last_epoch else self.steps

    @property
    def extent(self) -> Extent:
        """Its length, for whoever says how far it is."""
        steps = self.last_epoch * self.steps + self.last_steps
        return Extent(self.last_epoch + 1, self.steps, steps)

    def order(self, epoch: int) -> Int64:
        """The examples in the order of this epoch; not to be written to."""
        return _order(self.seed, epoch, self.size)

    def batches(self, epoch: int) -> Iterator[Int64]:
        """The rows of each batch of this epoch."""
        rows = self.order(epoch)
        for step in range(self.steps):
            yield rows[step * self.batch_size : (step + 1) * self.batch_size]


def rows_of(array: Any, rows: Int64) -> Any:
    """Some rows of an array, or of a tensor of text."""
    import tensorflow as tf

    return tf.gather(array, rows) if tf.is_tensor(array) else array[rows]


def _readable(array: Array) -> Any:
    """The array, or, since Keras takes no text from NumPy, a tensor of it."""
    import tensorflow as tf

    return tf.constant(np.asarray(array)) if array.dtype.kind in "SU" else array


def columns(arrays: Mapping[str, Array]) -> tuple[Any, ...]:
    """(x,), (x, y) or (x, y, sample_weight) of one part; empty for an empty part."""
    wanted = {n: _readable(a) for n, a in arrays.items() if n.split(".")[0] in _FED}
    named = (rebuilt(wanted, name) for name in _FED)
    return tuple(part for part in named if part is not None)


def unpacked(batch: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) of a batch as a step gets it, None for what is not there."""
    import keras

    return keras.utils.unpack_x_y_sample_weight(batch)


def packed(x: Any, y: Any = None, weight: Any = None) -> Any:
    """A batch as Keras gives it to a model's step: an array of inputs alone stands for itself."""
    import keras

    return keras.utils.pack_x_y_sample_weight(x, y, weight)


def require_whole_batches(
    model: Any, part: str, arrays: Mapping[str, Array], batch_size: int, dropped: bool = False
) -> None:
    """Refuses a smaller last batch where the model's input has a fixed number of examples.

    The arrays of that part of the data have an example in each row; it may be empty. `dropped` is
    whether a smaller last batch is left out.

    Raises:
        UserError: a batch of that part of the data would have another number.
    """
    import keras

    examples = max(map(len, arrays.values()), default=0)
    inputs = keras.tree.flatten(getattr(model, "inputs", None) or [])
    fixed = {symbol.shape[0] for symbol in inputs} - {None}
    last = batch_size if dropped else examples % batch_size or batch_size
    odd = {min(examples, batch_size), last} - fixed
    if examples and fixed and odd:
        raise UserError(
            f"Expected batches of {min(fixed)} examples, which the model's Input is fixed to. "
            f"Received {counted(examples, 'example')} in `{part}` and a `batch_size` of "
            f"{batch_size}: some batch has {min(odd)}. Leave the size open, as `shape=` does in "
            "place of `batch_shape=`, or choose `batch_size` and `split` so that all are whole."
        )
