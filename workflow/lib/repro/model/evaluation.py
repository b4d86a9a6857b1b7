"""Evaluation: metrics, per-class results and predictions of saved weights on the test part.

Synopsis:
    inference = evaluate(code, data_folder, weights_file, parameters, out_folder)
    inference.same         # whether the same weights, evaluated twice, gave the same bits

Writes metrics.json and predictions.npz. The twice-made evaluation speaks of inference
alone and is reported apart from training.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from repro.arrays.nested import rebuilt
from repro.core.atomic import whole_file, write_text
from repro.core.canonical_json import pretty
from repro.core.errors import UserError
from repro.core.parameters import EvaluateParameters
from repro.core.seeding import Seeds
from repro.data.keras_checks import predicts, validates
from repro.data.prepare import part
from repro.data.user_code import Code
from repro.model.classification import per_class
from repro.model.inference import (
    NOT_CALLED,
    UNMEASURED,
    Companions,
    Rows,
    circumstances,
    companions,
    same_bits,
)
from repro.model.training import built, made
from repro.model.training_plan import columns, require_whole_batches, rows_of, unpacked
from repro.variables.by_path import States, by_path, load
from repro.variables.unsaved import UnsavedVariables

PASSES = 2

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Evaluated:
    """What one evaluation found: metrics by name, predictions by output, weights it changed.

    `predict` predicts once more, with another batch size, all examples or some rows of them;
    `unsaved` are the variables that it reads and no weights file holds; `measurable` is whether
    there is something that it could be measured by.
    """

    metrics: Mapping[str, float]
    predictions: Mapping[str, Array]
    changed: tuple[str, ...]
    predict: Callable[..., Mapping[str, Array]]
    unsaved: Sequence[str] | None
    measurable: bool

    def same_bits(self, other: Evaluated) -> bool:
        """Whether metrics and predictions agree to the last bit."""
        mine, theirs = ({n: repr(v) for n, v in e.metrics.items()} for e in (self, other))
        return mine == theirs and same_bits(self.predictions, other.predictions)


@dataclass(frozen=True)
class Inference:
    """What the manifest says of inference: how the same weights did in other predictions.

    `same` is whether two evaluations gave the same bits, `companions` what other examples in the
    batch did, `unsaved` which variables a prediction reads and no weights file holds; None where no
    graph shows them; `left_out` what could not be evaluated, and why.
    """

    same: bool
    companions: Companions
    unsaved: Sequence[str] | None
    left_out: Mapping[str, str]


def _named(outputs: Any) -> dict[str, Array]:
    import keras

    if isinstance(outputs, Mapping):
        named = cast("Mapping[str, Any]", outputs)
        return {f"y.{name}": np.asarray(value) for name, value in sorted(named.items())}
    parts = [np.asarray(value) for value in keras.tree.flatten(outputs)]
    return {"y": parts[0]} if len(parts) == 1 else {f"y.{n}": p for n, p in enumerate(parts)}


def _learned(model: Any) -> dict[str, str]:
    """Digests of what only training may change: all weights but integers, which count."""
    weights = {path: v for path, v in by_path(model.weights).items() if "int" not in v.dtype}
    return States(weights, {}, {}).digests()["weights"]


def _pass(code: Code, data: Path, weights: Path, parameters: EvaluateParameters) -> Evaluated:
    import keras

    arrays = part(data, "test")

    keras.backend.clear_session()
    seeds = Seeds(parameters.seed)
    keras.utils.set_random_seed(seeds("global"))
    model = built(made(code, parameters.settings, seeds, data), arrays, code)
    require_whole_batches(model, "test", arrays, parameters.batch_size)
    load(model, weights)
    before = _learned(model)
    x, y, weight = unpacked(columns(arrays))
    size = parameters.batch_size

    # Random layers have states: each prediction starts from the same.
    start = [(variable, variable.numpy()) for variable in model.variables]

    def predict(batch_size: int, rows: Rows | None = None) -> dict[str, Array]:
        def chosen(column: Any) -> Any:
            return column if rows is None else rows_of(column, rows)

        for variable, value in start:
            variable.assign(value)
        if not predicts(model):
            return {}
        with code.blamed("model"):
            fed = keras.tree.map_structure(chosen, x)
            return _named(model.predict(fed, batch_size=batch_size, verbose=0))

    unsaved = _watched(model)
    outputs = predict(size)
    with code.blamed("model"):
        measurable = validates(model, columns(arrays))
        metrics: dict[str, float] = (
            model.evaluate(x, y, size, 0, weight, return_dict=True) if measurable else {}
        )
    changed = tuple(path for path, digest in _learned(model).items() if digest != before[path])
    named = {name: float(value) for name, value in sorted(metrics.items())}
    read = unsaved.read() if unsaved.looked else None
    return Evaluated(named, outputs, changed, predict, read, measurable)


def _watched(model: Any) -> UnsavedVariables:
    """What predictions read beside the model's variables, known once one is traced."""
    import tensorflow as tf

    unsaved, original = UnsavedVariables(model), model.predict_step

    def step(data: Any) -> Any:
        result = original(data)
        if not tf.executing_eagerly():
            unsaved.look(tf.compat.v1.get_default_graph())
        return result

    model.predict_step = step
    return unsaved


def _left_out(found: Evaluated) -> dict[str, str]:
    """What a model has no means for, and why."""
    whys = {} if found.measurable else {"metrics": UNMEASURED}
    return whys if found.predictions else {**whys, "predictions": NOT_CALLED}


def _plain(value: float) -> float | str:
    # JSON knows no NaN; a training that diverged must still be reported.
    return value if math.isfinite(value) else repr(value)


def evaluate(
    code: Code, data: Path, weights: Path, parameters: EvaluateParameters, out: Path
) -> Inference:
    """Evaluates saved weights on the test part, twice, each time in a model made again.

    The second model then predicts under other circumstances: see `repro.model.inference`.

    Raises:
        UserError: the user's code fails, or makes another model than it was trained as.
    """
    arrays = part(data, "test")
    first, *others = (_pass(code, data, weights, parameters) for _ in range(PASSES))
    if any(len(array) != len(arrays["id"]) for array in first.predictions.values()):
        counts = {name: len(array) for name, array in first.predictions.items()}
        raise UserError(
            f"Expected one prediction for each of {len(arrays['id'])} test examples. Received "
            f"{counts}. Let the model keep the batch axis."
        )
    same, last = all(first.same_bits(other) for other in others), others[-1]
    size = parameters.batch_size
    outcomes = circumstances(last.predict, last.predictions, arrays, size)
    shared = companions(lambda rows: last.predict(size, rows), last.predictions, size)
    left_out = _left_out(first)
    report = {
        "examples": len(arrays["id"]),
        "metrics": {name: _plain(value) for name, value in first.metrics.items()},
        "per_class": per_class(rebuilt(arrays, "y"), first.predictions.get("y")),
        "inference": {
            "passes": PASSES, "same": same, "changed": list(first.changed),
            "circumstances": outcomes,
        },
        **({"left_out": left_out} if left_out else {}),
    }  # fmt: skip
    write_text(out / "metrics.json", pretty(report))
    with whole_file(out / "predictions.npz") as temporary:
        np.savez(temporary, allow_pickle=False, id=arrays["id"], **first.predictions)
    return Inference(same, shared, first.unsaved, left_out)
