"""Training: the user's model, trained with every step traced.

Synopsis:
    trained = train(code, data_folder, parameters, out_folder)

Writes weights.safetensors, trace.jsonl, history.csv and, where Keras can write it, model.keras.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy.typing as npt

from repro.checkpoint.resume import CheckpointPolicy, Resume
from repro.core.atomic import whole_file
from repro.core.canonical_json import Json
from repro.core.digest import STEP_DIGEST
from repro.core.errors import UserError
from repro.core.parameters import TrainParameters
from repro.core.seeding import Seeds
from repro.data.keras_checks import check_fit, predicts, validates
from repro.data.order import METHOD as ORDER
from repro.data.prepare import part
from repro.data.prepared import call_model
from repro.data.user_code import Code
from repro.model.class_weight import Weights, class_weights, weighted
from repro.model.determinism_caveats import Limit, Limits, require_one_device, require_one_process
from repro.model.inference import UNMEASURED
from repro.model.instrumented_step import TracedStep
from repro.model.loops import LOOPS, choose, ended
from repro.model.trace_callback import Recording
from repro.model.training_plan import Plan, columns, require_whole_batches
from repro.record.trace import CLASS_WEIGHTS, writer
from repro.variables.best_epoch import BestWeights
from repro.variables.by_path import save, states
from repro.variables.keras_file import obstacle, save_whole
from repro.watch.recorded_values import Look
from repro.watch.training_progress import ProgressReport, followed


@dataclass(frozen=True)
class Trained:
    """What the manifest says of a training: the loop that ran, and the epochs that it finished.

    `resumable` is `yes`, or `no` with the reason; `resumed` are the epochs at which a process took
    up what another one had begun. `limits` tell what narrows the promises
    (`repro.model.determinism_caveats`). `unsaved` are variables that the training changed and that
    no weights file holds, None where no graph
    shows them. `class_weight` are the weights of classes, if any. `keras_file` is
    `yes`, or `no` with why Keras could not write the model. `best_epoch`, from 0, is the one that
    the weights are of, where the best is asked for and there is one.
    """

    loop: str
    epochs: int
    augmented: bool
    resumable: str
    resumed: tuple[int, ...]
    limits: Sequence[Limit] = ()
    unsaved: Sequence[str] | None = None
    class_weight: Weights = field(default_factory=dict[str, float])
    keras_file: str = "yes"
    best_epoch: int | None = None


def made(code: Code, settings: Mapping[str, Json], seeds: Seeds, data: Path) -> Any:
    """Calls the user's `model`, which returns a compiled keras.Model for the data of a folder.

    Raises:
        UserError: the code fails, returns something else, or wants several devices or workers.
    """
    import keras

    function = code.function("model")
    assert function is not None
    require_one_process()
    with code.blamed("model"):
        model = call_model(function, deepcopy(dict(settings)), seeds, data)
    if not isinstance(model, keras.Model):
        raise UserError(
            f"Expected `model` to return a keras.Model. Received {type(model).__name__}. "
            "End the function with `return model`."
        )
    if not model.compiled:
        raise UserError(
            "Expected `model` to return a compiled model. Received one that is not compiled. "
            "Call `model.compile(optimizer=..., loss=...)` in it."
        )
    require_one_device(model)
    return model


def built(model: Any, arrays: Mapping[str, npt.NDArray[Any]], code: Code) -> Any:
    """Creates every variable of the model, its metrics and optimizer, before the first step.

    Of the arrays, any part of the data, dtypes and shapes are looked at, and whether the labels
    are such as the loss takes.
    """
    import keras

    def symbol(array: Any) -> Any:
        dtype = keras.backend.standardize_dtype(array.dtype)
        return keras.KerasTensor((None, *array.shape[1:]), dtype)

    with code.blamed("model"):
        data = columns(arrays)
        if predicts(model):
            # Keras' `fit` begins with this very call; there is no public one.
            model._symbolic_build(data_batch=keras.tree.map_structure(symbol, data))
        else:
            _build_without_call(model)
        check_fit(model, data)
        # XLA and op determinism exclude one another: Keras would turn it off with a warning.
        model.jit_compile = False
    if odd := [str(v.path) for v in model.weights if v.dtype == "bfloat16"]:
        raise UserError(
            f"Expected weights of a type that NumPy knows. Received bfloat16 at {odd[0]}. Use the "
            "policy mixed_bfloat16, which keeps them in float32."
        )
    return model


def _build_without_call(model: Any) -> None:
    """Builds the optimizer of a model that only its own steps can use."""
    if odd := [layer.name for layer in model.layers if not layer.built]:
        raise UserError(
            f"Expected layers that are built in a model without a `call`. Received `{odd[0]}`, "
            "whose weights would only come to be in the first step. Begin it with a keras.Input, "
            "or give the model a `call`."
        )
    if model.optimizer is not None and not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


def _plan(
    arrays: Mapping[str, npt.NDArray[Any]], folder: Path, parameters: TrainParameters
) -> Plan:
    training, limit = parameters.training, parameters.limit
    steps = training.steps(len(arrays["id"]))
    wanted = training.epochs * steps
    if limit:
        wanted = min(wanted, limit["epochs"] * steps if "epochs" in limit else limit["steps"])
    epoch, last = divmod(wanted - 1, steps)
    validation = part(folder, "validation")
    return Plan(arrays, validation, training, parameters.seed, epoch, last + 1)


def _header(model: Any, weights: Weights) -> Mapping[str, object]:
    initial = states(model)
    return {
        **({CLASS_WEIGHTS: weights} if weights else {}),
        "digest": STEP_DIGEST,
        "order": ORDER,
        "variables": list(initial.weights),
        "initial": initial.digests(),
    }


def _write_history(path: Path, history: Sequence[Mapping[str, float]]) -> None:
    names = sorted({name for logs in history for name in logs})
    with whole_file(path) as temporary, temporary.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["epoch", *names])
        for epoch, logs in enumerate(history):
            # A callback may log a value in some epochs only.
            rows.writerow([epoch, *(repr(logs[n]) if n in logs else "" for n in names)])


def _run(loop: str, plan: Plan, callbacks: Any, resume: Resume | None, model: Any) -> None:
    if resume is None or not resume.finished:
        LOOPS[loop](model, plan, callbacks, resume.first if resume else 0)
        return
    callbacks.on_train_begin()  # it was killed between its last epoch and its outputs
    ended(model, callbacks, resume.last_logs)


def train(
    code: Code,
    data: Path,
    parameters: TrainParameters,
    out: Path,
    detail: Look | None = None,
    keeping: CheckpointPolicy | None = None,
    say: Callable[[str], None] = print,
    report: ProgressReport | None = None,
) -> Trained:
    """Trains the user's model and writes its files.

    Determinism must have begun (`repro.model.determinism.begin`). Returns what the manifest
    says of it.

    Args:
        keeping: where checkpoints are kept; None keeps none.
        say: is given what narrows the promises, a line each, before the first step.
        report: is told now and then how far it is.

    Raises:
        UserError: the user's code, or what was asked of the loop, is at fault.
        RestartTraining: checkpoints were found that do not fit; they are removed.
    """
    training, seeds = parameters.training, Seeds(parameters.seed)
    arrays = part(data, "train")
    weights = class_weights(code, arrays, training, parameters.settings)
    plan = _plan(weighted(arrays, weights), data, parameters)
    model = built(made(code, parameters.settings, seeds, data), plan.arrays, code)
    require_whole_batches(model, "train", arrays, plan.batch_size, training.drop_remainder)
    require_whole_batches(model, "validation", plan.validation, plan.batch_size)
    with code.blamed("model"):
        check_fit(model, columns(plan.validation))
        if plan.validation and not validates(model, columns(plan.validation)):
            say(f"Not validated: {UNMEASURED}.")
            plan = replace(plan, validation={})
    if why := obstacle(model):
        say(f"No model.keras will be written, since Keras cannot write the model ({why}).")
    maker, augment = code.function("callbacks"), code.function("augment")
    with code.blamed("callbacks"):
        user_callbacks: list[Any] = (
            list(maker(deepcopy(parameters.settings), seeds)) if maker else []
        )
    loop = choose(training.loop, model, plan, user_callbacks)
    header, limits = _header(model, weights), Limits(model, code.path, say)
    best = BestWeights(training.best_epoch, model) if training.best_epoch else None
    resume = Resume(keeping, model, training.epochs, best) if keeping else None
    around = resume.trace_step if resume else None
    step = TracedStep(model, augment, plan.steps, training.trace, detail, around)
    with writer(out / "trace.jsonl", header) as trace:
        history = resume.history if resume else []
        recording = Recording(model, plan, step, trace, detail, history, best)
        callbacks = _callbacks(user_callbacks, recording, training.epochs)
        if resume:
            resume.continue_trace(trace)
            callbacks.callbacks.append(resume.callback(user_callbacks, step.own()))
        with followed(recording.seen, plan.extent, report), code.blamed("model", "augment"):
            _run(loop, plan, callbacks, resume, model)
    unsaved = step.unsaved()
    if best:
        best.put_back()
    save(model, out / "weights.safetensors")
    _write_history(out / "history.csv", history)
    why = why or save_whole(model, out / "model.keras")
    checkpointing = (
        (resume.resumable(), tuple(resume.resumed)) if resume else ("no: not asked for", ())
    )
    return Trained(
        loop, len(history), augment is not None, *checkpointing, limits.found(), unsaved,
        weights, f"no: {why}" if why else "yes", best.epoch if best else None,
    )  # fmt: skip


def _callbacks(user_callbacks: Sequence[Any], recording: Recording, epochs: int) -> Any:
    import keras

    return keras.callbacks.CallbackList(
        [*user_callbacks, recording.callback()], add_history=True, model=recording.model,
        epochs=epochs, steps=recording.plan.steps, verbose=0,
    )  # fmt: skip
