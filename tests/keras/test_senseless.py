"""Trainings that two runs repeat bit for bit, and that make no sense, each beside one that does."""

from pathlib import Path
from typing import Any

import experiments as e
import numpy as np
import pytest
from repro.core.parameters import EvaluateParameters
from repro.model.evaluation import evaluate
from repro.record.trace import read
from repro.sanity.in_results import in_results
from repro.sanity.results import facts_of

PARAMETERS = EvaluateParameters(threads=e.THREADS, settings={}, seed=0, batch_size=16)
NOT_FINITE, CONSTANT = "numbers that are not finite", "constant predictions"
ONE_ANSWER, STALL = "no better than one answer for all", "a loss that never falls"


def warned(folder: Path, model: Any = e.mlp, dataset: Any = e.table) -> dict[str, str]:
    """The warnings that a training of eight epochs, evaluated, leads to; by name."""
    code = e.code(model=model, dataset=dataset)
    data = e.prepared(folder / "data", dataset, {"train": 0.5, "validation": 0.0, "test": 0.5})
    out = folder / "seed-0"
    e.trained(code, data, out, epochs=8)
    evaluate(code, data, out / "weights.safetensors", PARAMETERS, out)
    facts = facts_of(data, out, 0, read(out / "trace.jsonl"))
    return {error.mistake: error.evidence for error in in_results([facts])}


def lines(*arguments: Any) -> dict[str, Any]:
    x = e.table(*arguments)["x"]
    return {"x": x, "y": x[:, :1] * 3 + 1}


def linear(_settings: Any, _seeds: Any, rate: float = 0.1) -> Any:
    import keras

    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


@pytest.mark.parametrize(
    ("model", "dataset"),
    [(e.cnn, e.images), (e.own_step, e.table), (linear, lines)],
)
def test_what_learns_is_left_alone(model: Any, dataset: Any, tmp_path: Path) -> None:
    assert warned(tmp_path, model, dataset) == {}


def diverging(settings: Any, seeds: Any) -> Any:
    import keras

    return e.compiled(e.mlp(settings, seeds), optimizer=keras.optimizers.SGD(1e30))


def test_a_loss_that_is_not_a_number_is_told(tmp_path: Path) -> None:
    evidence = warned(tmp_path, diverging)[NOT_FINITE]
    assert "in the loss: loss (" in evidence
    assert "in the weights: " in evidence


def with_one_hole(*arguments: Any) -> dict[str, Any]:
    found = e.table(*arguments)
    found["x"][::2, 0][:8] = np.nan
    return found


def test_an_input_that_is_not_a_number_is_told(tmp_path: Path) -> None:
    evidence = warned(tmp_path, dataset=with_one_hole)[NOT_FINITE]
    assert "in the inputs: x of train (" in evidence
    assert "in the weights: " in evidence


def dead(_settings: Any, seeds: Any) -> Any:
    import keras

    first = keras.layers.Dense(
        4, activation="relu", bias_initializer=keras.initializers.Constant(-99)
    )
    return e.compiled(keras.Sequential([keras.Input((6,)), *e.layers(first)]))


def softmax_of_one(_settings: Any, _seeds: Any) -> Any:
    import keras

    layers = [keras.Input((6,)), keras.layers.Dense(1, activation="softmax")]
    return e.compiled(keras.Sequential(layers), loss="binary_crossentropy")


@pytest.mark.parametrize("model", [dead, softmax_of_one])
def test_one_prediction_for_all_is_told(model: Any, tmp_path: Path) -> None:
    assert CONSTANT in warned(tmp_path, model)


def unrelated(*arguments: Any) -> dict[str, Any]:
    found = lines(*arguments)
    return {**found, "y": np.random.default_rng(5).normal(size=(120, 1)).astype(np.float32)}


def test_labels_that_belong_to_other_inputs_are_told(tmp_path: Path) -> None:
    evidence = warned(tmp_path, linear, unrelated)[ONE_ANSWER]
    assert "the mean squared error is" in evidence
    assert "that of the mean of `train`, for every example," in evidence


def frozen(settings: Any, seeds: Any) -> Any:
    return linear(settings, seeds, rate=0.0)


def test_a_loss_that_never_falls_is_told(tmp_path: Path) -> None:
    assert STALL in warned(tmp_path, frozen, lines)
