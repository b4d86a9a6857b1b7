"""Loops: two ways to run the same traced steps, with the same bits and the same trace.

Synopsis:
    loop = choose("auto", model, plan, callbacks)      # "graph" or "fit"
    LOOPS[loop](model, plan, callback_list)

`graph` runs a whole epoch in one TensorFlow function that gathers its batches from data
in memory; `fit` feeds Keras' own `fit` batch by batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from repro.core.errors import UserError
from repro.data.order import Int64
from repro.model.training_plan import Array, Plan, columns, rows_of, unpacked
from repro.variables.by_path import optimizers

MEMORY = 2**30
"""The graph loop holds the training data in memory, up to this many bytes."""


def _acts_at_batches(callback: Any) -> bool:
    import keras

    names = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
    base: Any = keras.callbacks.Callback
    kind = cast("Any", type(callback))
    return any(
        getattr(kind, name) is not getattr(base, name) or name in vars(callback) for name in names
    )


def graph_obstacles(model: Any, plan: Plan, callbacks: Sequence[Any]) -> list[str]:
    """Reasons, fit to follow "because", why the graph loop cannot train this; none where it can.

    The rules look at the data, the model and the callbacks, never at the machine or a
    clock, so `auto` chooses the same loop everywhere.
    """
    import keras

    data = {name: array for name, array in plan.arrays.items() if name[0] in "xys"}
    kind = cast("Any", type(model))
    overridden = [
        name
        for name in ("fit", "make_train_function")
        if getattr(kind, name) is not getattr(keras.Model, name)
    ]
    loud = [type(callback).__name__ for callback in callbacks if _acts_at_batches(callback)]
    reasons = {
        f"the data is larger than {MEMORY} bytes": sum(a.nbytes for a in data.values()) > MEMORY,
        "the data holds text": any(array.dtype.kind in "US" for array in data.values()),
        "the model runs eagerly": bool(model.run_eagerly),
        f"the model has a {' and a '.join(overridden)} of its own": bool(overridden),
        "the model has not exactly one, compiled optimizer": list(optimizers(model))
        != ["optimizer"],
        f"the callback {' and '.join(loud)} acts at batches": bool(loud),
    }
    return [reason for reason, holds in reasons.items() if holds]


def choose(wanted: str, model: Any, plan: Plan, callbacks: Sequence[Any]) -> str:
    """The loop wanted, `graph` or `fit`; for `auto`, `graph` where nothing stands against it.

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


def fit_loop(model: Any, plan: Plan, callbacks: Any, first: int = 0) -> None:
    """Trains by Keras' `fit`, fed batch by batch, from the epoch `first` on.

    The model's `train_step` is the traced one; `callbacks` are a keras CallbackList.
    """
    import keras

    data = columns(plan.arrays)

    def taken(rows: Int64) -> tuple[Any, ...]:
        def of(array: Any) -> Any:
            return rows_of(array, rows)

        return tuple(keras.tree.map_structure(of, part) for part in data)

    model.fit(
        (taken(rows) for epoch in range(first, plan.epochs) for rows in plan.batches(epoch)),
        shuffle=False,
        steps_per_epoch=plan.steps,
        epochs=plan.epochs,
        initial_epoch=first,
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
    x, y, weight = unpacked(data)
    logs: dict[str, float] = model.evaluate(
        x, y, plan.batch_size, 0, weight, callbacks=callbacks, return_dict=True
    )
    return {f"val_{name}": value for name, value in logs.items()}


def _flat(logs: Mapping[str, Any]) -> dict[str, float]:
    """Logs as `fit` gives them: a train_step of the user's own may hold a mapping of metrics."""
    flat: dict[str, float] = {}
    for name, value in logs.items():
        nested = isinstance(value, Mapping)
        flat |= _flat(cast("Mapping[str, Any]", value)) if nested else {name: float(value)}
    return flat


def ended(model: Any, callbacks: Any, logs: Mapping[str, Any] | None) -> None:
    """Does what `fit` does after the last epoch, with the logs of that epoch."""
    import keras

    if isinstance(model.optimizer, keras.optimizers.Optimizer):
        model.optimizer.finalize_variable_values(model.trainable_weights)
    callbacks.on_train_end(logs=logs)


def graph_loop(model: Any, plan: Plan, callbacks: Any, first: int = 0) -> None:
    """Trains with one TensorFlow function for each epoch; does what `fit` does around it.

    The model's `train_step` is the traced one; `callbacks` are a keras CallbackList, none of which
    acts at batches.
    """
    run = _epoch_function(model, plan)
    model.stop_training = False
    logs: dict[str, Any] = {}
    callbacks.on_train_begin()
    for epoch in range(first, plan.epochs):
        model.reset_metrics()
        callbacks.on_epoch_begin(epoch)
        logs = _flat(run(plan.order(epoch), plan.steps_of(epoch)))
        logs |= _validated(model, plan, callbacks)
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    ended(model, callbacks, logs)


LOOPS: Mapping[str, Callable[[Any, Plan, Any, int], None]] = {"fit": fit_loop, "graph": graph_loop}
