"""Loops: two ways to run the same traced steps, with the same bits and the same trace.

Synopsis:
    loop = choose("auto", model, plan, callbacks)      # "graph" or "fit"
    LOOPS[loop](model, plan, callback_list)

`graph` runs a whole epoch in one TensorFlow function that gathers its batches from data
in memory; `fit` feeds Keras' own `fit` batch by batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from repro.core.errors import UserError
from repro.data.order import Int64, order
from repro.data.prepare import structured
from repro.model.checkpoint import optimizers

Array = npt.NDArray[Any]
MEMORY = 2**30
"""The graph loop holds the training data in memory, up to this many bytes."""


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
    batch_size: int
    epochs: int
    seed: int
    last_epoch: int
    last_steps: int

    @property
    def size(self) -> int:
        """The number of training examples."""
        return len(self.arrays["id"])

    @property
    def steps(self) -> int:
        """Batches in a whole epoch; the last one may be smaller."""
        return -(-self.size // self.batch_size)

    def steps_of(self, epoch: int) -> int:
        """Batches to be run in this epoch."""
        return self.last_steps if epoch == self.last_epoch else self.steps

    def order(self, epoch: int) -> Int64:
        """The examples in the order of this epoch; not to be written to."""
        return _order(self.seed, epoch, self.size)

    def batches(self, epoch: int) -> Iterator[Int64]:
        """The rows of each batch of this epoch."""
        rows = self.order(epoch)
        for start in range(0, self.size, self.batch_size):
            yield rows[start : start + self.batch_size]


def columns(arrays: Mapping[str, Array]) -> tuple[Any, ...]:
    """(x, y) or (x, y, sample_weight) of one part of the data; empty for an empty part."""
    named = (structured(arrays, name) for name in ("x", "y", "sample_weight"))
    return tuple(part for part in named if part is not None)


def _acts_at_batches(callback: Any) -> bool:
    import keras

    names = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
    base: Any = keras.callbacks.Callback
    kind = cast("Any", type(callback))
    return any(
        getattr(kind, name) is not getattr(base, name) or name in vars(callback) for name in names
    )


def graph_obstacles(model: Any, plan: Plan, callbacks: Sequence[Any]) -> list[str]:
    """Why the graph loop cannot train this; empty where it can.

    The rules look at the data, the model and the callbacks, never at the machine or a
    clock, so `auto` chooses the same loop everywhere.

    Args:
        model: a compiled keras.Model.
        plan: the data.
        callbacks: the user's.

    Returns:
        Reasons, each fit to follow "because".
    """
    import keras

    data = {name: array for name, array in plan.arrays.items() if name[0] in "xys"}
    kind = cast("Any", type(model))
    own = [
        name
        for name in ("fit", "make_train_function")
        if getattr(kind, name) is not getattr(keras.Model, name)
    ]
    loud = [type(callback).__name__ for callback in callbacks if _acts_at_batches(callback)]
    reasons = {
        f"the data is larger than {MEMORY} bytes": sum(a.nbytes for a in data.values()) > MEMORY,
        "the data holds text": any(array.dtype.kind in "US" for array in data.values()),
        "the model runs eagerly": bool(model.run_eagerly),
        f"the model has a {' and a '.join(own)} of its own": bool(own),
        "the model has not exactly one, compiled optimizer": list(optimizers(model))
        != ["optimizer"],
        f"the callback {' and '.join(loud)} acts at batches": bool(loud),
    }
    return [reason for reason, holds in reasons.items() if holds]


def choose(wanted: str, model: Any, plan: Plan, callbacks: Sequence[Any]) -> str:
    """The loop to use: `graph` where nothing stands against it, else `fit`.

    Args:
        wanted: `auto`, `graph` or `fit`.
        model: a compiled keras.Model.
        plan: the data.
        callbacks: the user's.

    Returns:
        `graph` or `fit`.

    Raises:
        UserError: `graph` is wanted and cannot train this.
    """
    obstacles = graph_obstacles(model, plan, callbacks)
    if wanted == "graph" and obstacles:
        raise UserError(
            "Expected an experiment that `loop: graph` can train. Received one that it cannot, "
            f"because {'; '.join(obstacles)}. Say `loop: auto` or `loop: fit`."
        )
    return "fit" if obstacles or wanted == "fit" else "graph"


def fit_loop(model: Any, plan: Plan, callbacks: Any) -> None:
    """Trains by Keras' `fit`, fed batch by batch.

    Args:
        model: a compiled keras.Model whose `train_step` is the traced one.
        plan: what to train on.
        callbacks: a keras CallbackList.
    """
    import keras

    data = columns(plan.arrays)

    def taken(rows: Int64) -> tuple[Any, ...]:
        def rows_of(array: Array) -> Array:
            return array[rows]

        return tuple(keras.tree.map_structure(rows_of, part) for part in data)

    model.fit(
        (taken(rows) for epoch in range(plan.epochs) for rows in plan.batches(epoch)),
        shuffle=False,
        steps_per_epoch=plan.steps,
        epochs=plan.epochs,
        validation_data=columns(plan.validation) or None,
        validation_batch_size=plan.batch_size,
        callbacks=callbacks,
        verbose=0,
    )


def _epoch_function(model: Any, plan: Plan) -> Callable[..., Any]:
    import tensorflow as tf

    def in_memory(array: Array) -> Any:
        return tf.constant(np.asarray(array))

    data = tf.nest.map_structure(in_memory, columns(plan.arrays))
    size = plan.batch_size

    def step(order: Any, start: Any, count: int) -> Any:
        rows = tf.slice(order, [start], [count])

        def gathered(column: Any) -> Any:
            return tf.gather(column, rows)

        return model.train_step(tf.nest.map_structure(gathered, data))

    def epoch(order: Any, steps: int) -> Any:
        # The last step stands apart: its batch may be smaller, and its logs are the epoch's.
        last = steps - 1

        def body(number: Any) -> tuple[Any]:
            step(order, number * size, size)
            return (number + 1,)

        def more(number: Any) -> Any:
            return number < last

        tf.while_loop(more, body, (tf.constant(0),), parallel_iterations=1)
        return step(order, last * size, min(size, plan.size - last * size))

    return tf.function(epoch, autograph=False)


def _validated(model: Any, plan: Plan, callbacks: Any) -> dict[str, float]:
    data = columns(plan.validation)
    if not data:
        return {}
    x, y, weight = (*data, None)[:3]
    logs: dict[str, float] = model.evaluate(
        x, y, plan.batch_size, 0, weight, callbacks=callbacks, return_dict=True
    )
    return {f"val_{name}": value for name, value in logs.items()}


def graph_loop(model: Any, plan: Plan, callbacks: Any) -> None:
    """Trains with one TensorFlow function for each epoch; does what `fit` does around it.

    Args:
        model: a compiled keras.Model whose `train_step` is the traced one.
        plan: what to train on; held in memory.
        callbacks: a keras CallbackList, none of which acts at batches.
    """
    run = _epoch_function(model, plan)
    model.stop_training = False
    logs: dict[str, Any] = {}
    callbacks.on_train_begin()
    for epoch in range(plan.epochs):
        model.reset_metrics()
        callbacks.on_epoch_begin(epoch)
        logs = {name: float(v) for name, v in run(plan.order(epoch), plan.steps_of(epoch)).items()}
        logs |= _validated(model, plan, callbacks)
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    model.optimizer.finalize_variable_values(model.trainable_weights)
    callbacks.on_train_end(logs=logs)


LOOPS: Mapping[str, Callable[[Any, Plan, Any], None]] = {"fit": fit_loop, "graph": graph_loop}
