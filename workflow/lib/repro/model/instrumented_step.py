"""A training step that augments its batch and records, inside the graph, what it did.

Synopsis:
    step = TracedStep(model, augment, steps, trace)
    step.begin_epoch(seeds)            # int32 [steps, 2]
    ...                                # model.train_step now is the traced one
    step.rows(steps)                   # what each step recorded

Both loops run this one step, so they trace alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any, TypedDict, cast

import numpy as np
import numpy.typing as npt

from repro.core.text import counted
from repro.model.training_plan import packed, unpacked
from repro.variables.by_path import by_path, optimizers
from repro.variables.unsaved import UnsavedVariables
from repro.watch.recorded_values import Look


def digest(tensor: Any) -> Any:
    """Fingerprint64 of FarmHash of a tensor's bytes: uint8 [1, 8], the least first.

    One operation of TensorFlow's own, on the CPU, so that looking costs little beside any step. Of
    text, it is the digest of the texts' own digests.
    """
    import tensorflow as tf

    return tf.fingerprint(tf.reshape(tensor, [1, -1]), "farmhash64")


def _bits(values: Sequence[Any]) -> Any:
    """The bits of numbers as float64, uint8 [len(values), 8]."""
    import tensorflow as tf

    return tf.bitcast(tf.stack([tf.cast(value, tf.float64) for value in values]), tf.uint8)


def _hex(record: npt.NDArray[np.uint8]) -> Iterator[list[str]]:
    """Each row's values, uint8 [8] with the least byte first, in 16 hexadecimal digits each."""
    text, width = record[..., ::-1].tobytes().hex(), 16 * record.shape[1]
    for row in range(0, len(text), width):
        yield [text[place : place + 16] for place in range(row, row + width, 16)]


class StepRow(TypedDict):
    """What a step recorded, digests and bits in hexadecimal; `weights` in the model's order."""

    batch: str
    lr: str
    loss: str
    weights: list[str]


def pair(batch: Any) -> tuple[Any, Any]:
    """What the user's `augment` returned, as (x, y).

    Raises:
        TypeError: it is something else.
    """
    if isinstance(batch, (tuple, list)):
        values = cast("Sequence[Any]", batch)
        if len(values) == 2:
            return values[0], values[1]
        raise TypeError(f"augment returned {counted(len(values), 'value')}")
    raise TypeError(f"augment returned one thing, of the type {type(batch).__name__}")


def _at_once(trace: Callable[[], Any]) -> None:
    trace()


class TracedStep:
    """Replaces `model.train_step` by one that augments, runs the model's own, and records.

    Args:
        augment: the user's `augment(x, y, seed)`, or None.
        steps: batches in an epoch.
        trace: `step` records every step, `epoch` none of them.
        around: is given what traces the step's graph, and must call it.
    """

    def __init__(
        self,
        model: Any,
        augment: Callable[..., Any] | None,
        steps: int,
        trace: str,
        detail: Look | None = None,
        around: Callable[[Callable[[], Any]], None] | None = None,
    ) -> None:
        import tensorflow as tf

        self._model, self._traced = model, trace == "step"
        self._detail, self._around = detail, around
        self._augment = tf.function(augment) if augment else None
        if detail and self._augment:
            self._augment = detail.marking(self._augment)
        self._own_step = model.train_step
        self._optimizers = list(optimizers(model).values())
        self._weights = by_path(model.weights)
        self._losses: list[Any] = []
        self._function: Any = None
        width = 2 + len(self._optimizers) + len(self._weights)
        # Digests are made on the CPU: kept there, they need not go back to another device.
        with tf.device("CPU:0"):
            self._record = tf.Variable(tf.zeros([steps, width, 8], tf.uint8), trainable=False)
        self._seeds = tf.Variable(tf.zeros([steps, 2], tf.int32), trainable=False)
        self._step = tf.Variable(0, trainable=False, dtype=tf.int64)
        self._unsaved = UnsavedVariables(model, self.own())
        self._observe_loss()
        model.train_step = self.__call__

    def _observe_loss(self) -> None:
        original = self._model.compute_loss

        def compute_loss(*arguments: Any, **named: Any) -> Any:
            loss = original(*arguments, **named)
            self._losses.append(loss)
            return loss

        self._model.compute_loss = compute_loss

    def begin_epoch(self, seeds: npt.NDArray[np.int32]) -> None:
        """Starts at step 0 with this epoch's seeds for `augment`, int32 [steps, 2]."""
        self._seeds.assign(seeds)
        self._step.assign(0)

    def __call__(self, data: Any) -> Any:
        """Runs one step on a batch of `columns`; returns the model's logs."""
        data = packed(*unpacked(data))
        if self._model.run_eagerly:
            return self._run(data)
        if self._function is None:
            self._function = self._apart(data)
            (self._around or _at_once)(self._concrete)
        return self._function(data)

    def _concrete(self) -> Any:
        function = self._function.get_concrete_function()
        self._unsaved.look(function.graph)
        return function

    def so_far(self) -> tuple[int, float | None]:
        """How many steps of this epoch are done, and a loss of one of the last of them.

        May be asked from another thread while steps run: it reads two numbers, and changes nothing.
        """
        import tensorflow as tf

        done = int(self._step.numpy())
        if not self._traced or done < 2:
            return done, None
        # The last step counts before all of it is recorded, the one before it does not.
        loss = tf.gather(self._record, done - 2)[1]  # of the variable: no other row is copied
        return done, float(tf.bitcast(loss, tf.float64).numpy())

    def own(self) -> tuple[Any, ...]:
        """The variables that belong to the record; each epoch sets them again."""
        return self._record, self._seeds, self._step

    def unsaved(self) -> list[str] | None:
        """Variables that the steps have changed and that are none of the model's, by name.

        None where no step was traced as a graph, in which they could be seen.
        """
        return self._unsaved.changed() if self._unsaved.looked else None

    def _apart(self, data: Any) -> Any:
        """The step as a function that TensorFlow optimises by itself, for any size of batch.

        Inlined, it would be rewritten together with the loop around it and with the sizes known
        there, and round otherwise in one loop than in the other.
        """
        import tensorflow as tf

        def of_any_size(part: Any) -> Any:
            return tf.TensorSpec([None, *part.shape[1:]], part.dtype)

        # ASSUME: what is not inlined is optimised alike wherever it is called from. For the models
        # of tests/keras/test_loops.py it is; a transformer block of tests/zoo came out otherwise.
        return tf.function(
            self._run,
            input_signature=[tf.nest.map_structure(of_any_size, data)],
            autograph=False,
            experimental_attributes={"_noinline": True},
        )

    def _run(self, data: Any) -> Any:
        with self._detail.recording(self._model, self._step) if self._detail else nullcontext():
            if self._augment:
                x, y, weight = unpacked(data)
                x, y = pair(self._augment(x, y, self._seeds[self._step]))
                data = packed(x, y, weight)
            self._losses.clear()
            logs = self._own_step(data)
        if self._traced:
            self._note(data, logs)
        self._step.assign_add(1)
        return logs

    def _note(self, data: Any, logs: Any) -> None:
        import tensorflow as tf

        batch = [part for part in tf.nest.flatten(data) if part is not None]
        # A train_step of the user's own may never call compute_loss: then its logs stand in.
        loss = self._losses[-1] if self._losses else logs.get("loss", tf.nest.flatten(logs)[0])
        rates = [optimizer.learning_rate for optimizer in self._optimizers]
        # As few operations as can be: beside a short step each of them counts.
        content = tf.fingerprint(tf.concat([digest(part) for part in batch], 1), "farmhash64")
        weights = [digest(variable.value) for variable in self._weights.values()]
        row = tf.concat([content, _bits([loss, *rates]), *weights], 0)
        self._record.scatter_update(tf.IndexedSlices(row, self._step))

    def rows(self, steps: int) -> list[StepRow]:
        """What the first `steps` steps of the epoch recorded; empty unless every step is traced."""
        if not self._traced:
            return []
        rates = len(self._optimizers)
        return [
            {"batch": batch, "lr": "".join(rest[:rates]), "loss": loss, "weights": rest[rates:]}
            for batch, loss, *rest in _hex(self._record.numpy()[:steps])
        ]
