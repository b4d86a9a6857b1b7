"""One training of the user's model, timed; each variant does one thing more than the last.

Synopsis:
    spent = measured(Task(experiment, data_folder, parameters, 5, scratch), "determinism")
    spent.wall_s, spent.processor_s, spent.peak_bytes

To be called once in a process: threads and op determinism hold for the whole of it. Nothing of
it enters the results; `repro.cli.cost` starts the processes and compares them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from repro.checkpoint.resume import CheckpointPolicy
from repro.core.errors import UserError
from repro.core.parameters import CostParameters, Training, TrainParameters
from repro.core.seeding import Seeds, step_seeds
from repro.data.prepare import part
from repro.data.user_code import Code, load
from repro.model.class_weight import class_weights, weighted
from repro.model.instrumented_step import TracedStep
from repro.model.loops import LOOPS, choose
from repro.model.training import built, made, train
from repro.model.training_plan import Plan, columns, packed, unpacked
from repro.overhead.epoch_timer import LEAST, Clock, Timing


@dataclass(frozen=True)
class Task:
    """What is trained, from which data, and for about how many seconds.

    `experiment` is the user's file or folder, `data` what `prepare` wrote. What training writes
    goes to a folder in `scratch`, which lies best on the disk of the results; `check` is what is
    done before each checkpoint.
    """

    experiment: Path
    data: Path
    parameters: CostParameters
    seconds: float
    scratch: Path
    check: Callable[[], object] = lambda: None
    pretrained: Mapping[str, Path] = field(default_factory=dict[str, Path])

    def code(self) -> Code:
        """The user's code, loaded again."""
        return load(self.experiment, self.pretrained)

    @property
    def training(self) -> Training:
        """As configured, but with as many epochs as are needed at least."""
        training = self.parameters.training
        return replace(training, epochs=max(training.epochs, LEAST + 1))

    @property
    def seeds(self) -> Seeds:
        """The streams of the training."""
        return Seeds(self.parameters.seed)

    def callbacks(self, code: Code, clock: Clock) -> list[Any]:
        """The user's own, and the clock behind them."""
        maker = code.function("callbacks")
        with code.blamed("callbacks"):
            user_callbacks = (
                list(maker(deepcopy(self.parameters.settings), self.seeds)) if maker else []
            )
        return [*user_callbacks, clock.callback()]


def _in_memory(arrays: Mapping[str, Any]) -> tuple[Any, ...]:
    return columns({name: np.array(array) for name, array in arrays.items()})


def _arrays(task: Task, code: Code) -> Mapping[str, Any]:
    """The training part, with class weights."""
    arrays, asked = part(task.data, "train"), task.parameters
    return weighted(arrays, class_weights(code, arrays, asked.training, asked.settings))


def _plain(task: Task, clock: Clock) -> Timing:
    """Keras' `fit` as one would write it: nothing seeded, nothing set.

    Arrays go to `fit` as they are; where the user has an `augment`, through a `tf.data` pipeline
    as TensorFlow's guides recommend it.
    """
    import tensorflow as tf

    code, training = task.code(), task.training
    model = made(code, task.parameters.settings, task.seeds, task.data)
    arrays, augment = _arrays(task, code), code.function("augment")
    data, size, batch = _in_memory(arrays), len(arrays["id"]), training.batch_size

    def augmented(*batch: Any) -> Any:
        assert augment is not None
        x, y, weight = unpacked(batch)
        seed = tf.random.uniform([2], maxval=2**31 - 1, dtype=tf.int32)
        x, y = augment(x, y, seed)
        return packed(x, y, weight)

    fed: dict[str, Any] = dict(zip(("x", "y", "sample_weight"), data, strict=False))
    if augment or training.drop_remainder:
        rows = tf.data.Dataset.from_tensor_slices(packed(*unpacked(data))).shuffle(size)
        rows = rows.batch(batch, drop_remainder=training.drop_remainder)
        rows = rows.map(augmented, tf.data.AUTOTUNE) if augment else rows
        fed = {"x": rows.prefetch(tf.data.AUTOTUNE)}
    else:
        fed["batch_size"] = batch
    callbacks = task.callbacks(code, clock)
    with code.blamed("model", "augment"):
        model.fit(
            **fed,
            epochs=training.epochs,
            validation_data=_in_memory(part(task.data, "validation")) or None,
            validation_batch_size=batch,
            callbacks=callbacks,
            verbose=0,
        )
    return clock.spent(training.steps(size), "fit")


def _threads(task: Task, clock: Clock) -> Timing:
    """The same with the recipe's numbers of threads."""
    _set_threads(task)
    return _plain(task, clock)


def _set_threads(task: Task) -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(task.training.threads.intra)
    tf.config.threading.set_inter_op_parallelism_threads(task.training.threads.inter)


def _loop(task: Task, clock: Clock) -> Timing:
    """This project's loop, with no op determinism, no seeds and no trace."""
    _set_threads(task)
    return _bare(task, clock)


def _bare(task: Task, clock: Clock) -> Timing:
    import keras

    code, training, seed = task.code(), task.training, task.seeds.root
    arrays, validation = _arrays(task, code), part(task.data, "validation")
    epochs, steps = training.epochs, training.steps(len(arrays["id"]))
    plan = Plan(arrays, validation, training, seed, epochs - 1, steps)
    model = built(made(code, task.parameters.settings, task.seeds, task.data), arrays, code)
    callbacks = task.callbacks(code, clock)
    loop = choose(training.loop, model, plan, callbacks)
    step = TracedStep(model, code.function("augment"), steps, "epoch")

    def begin(epoch: int, _logs: Any) -> None:
        step.begin_epoch(step_seeds(seed, epoch, steps))

    every = keras.callbacks.CallbackList(
        [*callbacks, keras.callbacks.LambdaCallback(on_epoch_begin=begin)],
        add_history=True, model=model, epochs=epochs, steps=steps, verbose=0,
    )  # fmt: skip
    with code.blamed("model", "augment"):
        LOOPS[loop](model, plan, every, 0)
    return clock.spent(steps, loop)


def _determinism(task: Task, clock: Clock) -> Timing:
    """The same with all that `repro.model.determinism` sets."""
    _begin(task)
    return _bare(task, clock)


def _begin(task: Task) -> None:
    from repro.model.determinism import begin

    begin(task.seeds("global"), task.training.threads)


def _trace(task: Task, clock: Clock) -> Timing:
    """The same with the trace that is configured: `repro.model.training.train` itself."""
    return _trained(task, clock, keep=False)


def _checkpoints(task: Task, clock: Clock) -> Timing:
    """The same with a checkpoint after every epoch."""
    return _trained(task, clock, keep=True)


def _trained(task: Task, clock: Clock, *, keep: bool) -> Timing:
    _begin(task)
    code = task.code()

    def callbacks(*_: Any) -> list[Any]:
        return task.callbacks(code, clock)

    module = ModuleType(code.module.__name__)
    vars(module).update(vars(code.module), callbacks=callbacks)
    asked = task.parameters
    parameters = TrainParameters(
        threads=asked.threads, settings=asked.settings, training=task.training, seed=asked.seed
    )
    with tempfile.TemporaryDirectory(dir=task.scratch) as name:
        folder = Path(name)
        keeping = CheckpointPolicy(folder / "kept", "cost", 0, task.check) if keep else None
        timed = replace(code, module=module)
        done = train(timed, task.data, parameters, folder, keeping=keeping)
    if keep and done.resumable != "yes":
        raise UserError(
            "Expected a training that checkpoints can be kept of. Received one that they cannot, "
            f"because {done.resumable.removeprefix('no: ')}. It runs without."
        )
    steps = task.training.steps(len(part(task.data, "train")["id"]))
    return clock.spent(steps, done.loop)


VARIANTS: Mapping[str, Callable[[Task, Clock], Timing]] = {
    "plain": _plain,
    "threads": _threads,
    "loop": _loop,
    "determinism": _determinism,
    "trace": _trace,
    "checkpoints": _checkpoints,
}
"""In order: each does what the one before does, and what its name says."""

WHOLE = "trace"
"""The variant that does what every training does, whether or not a checkpoint is due."""


def measured(task: Task, variant: str) -> Timing:
    """Trains once, in one of the ways of `VARIANTS`, and says what a step took.

    Before the first epoch has ended nothing is timed: it holds the start and the making of the
    graph. Then whole epochs are timed until `task.seconds` have passed, at least `LEAST` of them
    and at most those of the configuration, validation and the user's own callbacks among them.

    Raises:
        UserError: the user's code is at fault, or the training ends within its first epoch.
    """
    return VARIANTS[variant](task, Clock(task.seconds))
