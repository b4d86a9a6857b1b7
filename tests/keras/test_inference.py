"""Inference apart from training: what a batch size and a processor do to the predictions."""

import json
import os
from pathlib import Path
from typing import Any

import experiments as e
import numpy as np
import pytest
from repro.core.parameters import EvaluateParameters
from repro.model.evaluation import evaluate
from repro.model.inference import circumstances, same_bits


def test_bits_tell_nan_and_zeros_apart() -> None:
    nan, zero = {"y": np.array([np.nan])}, {"y": np.array([0.0])}
    assert same_bits(nan, {"y": np.array([np.nan])})
    assert not same_bits(zero, {"y": np.array([-0.0])})
    assert not same_bits(zero, {"z": np.array([0.0])})


def test_a_batch_size_that_matters_is_told() -> None:
    def predict(size: int) -> dict[str, Any]:
        return {"y": np.array([[0.4, 0.6], [0.7, 0.3]]) if size == 2 else np.eye(2)}

    found = circumstances(predict, predict(2), {"y": np.array([0, 1])}, 2)
    sizes = {"to": "1", "same": False, "largest_difference": "0.6", "other_class": 2}
    assert found["batch size"] == {**sizes, "largest_difference": repr(0.7)}
    assert found["processors"]["same"]


def test_the_other_batch_size_is_another_one_for_few_examples_too() -> None:
    def predict(size: int) -> dict[str, Any]:
        return {"y": np.full((10, 2), min(size, 10) / 7)}

    found = circumstances(predict, predict(64), {}, 64)["batch size"]
    assert (found["to"], found["same"]) == ("5", False)


@pytest.mark.parametrize(("examples", "to"), [(9, "2"), (2, "2"), (1, "0"), (0, "0")])
def test_batches_of_one_are_doubled(examples: int, to: str) -> None:
    sizes = list[int]()

    def predict(size: int) -> dict[str, Any]:
        sizes.append(size)
        return {"y": np.zeros((examples, 2))}

    found = circumstances(predict, predict(1), {}, 1)["batch size"]
    assert (found["to"], found["same"]) == (to, True if examples > 1 else None)
    assert (2 in sizes) == (examples > 1)


@pytest.mark.parametrize(
    ("labels", "changed"),
    [
        (np.array([0, 1]), 1),
        (np.eye(2), 1),
        (np.array([[0.5, 0.25], [0.75, 0.0]]), None),  # what an autoencoder is to give back
        (None, None),
    ],
)
def test_only_what_chooses_among_classes_predicts_one(labels: Any, changed: int | None) -> None:
    def predict(size: int) -> dict[str, Any]:
        return {
            "y": np.array([[0.4, 0.6], [0.7, 0.3]]) if size == 2 else np.array([[0, 1], [0, 1]])
        }

    given = {} if labels is None else {"y": labels}
    found = circumstances(predict, predict(2), given, 2)["batch size"]
    assert (found["same"], found["other_class"]) == (False, changed)


def test_one_processor_is_used_and_all_are_given_back() -> None:
    before, seen = os.sched_getaffinity(0), list[int]()

    def predict(_: int) -> dict[str, Any]:
        seen.append(len(os.sched_getaffinity(0)))
        return {"y": np.zeros(3)}

    circumstances(predict, predict(1), {}, 1)
    assert seen[-1] == 1
    assert os.sched_getaffinity(0) == before


def test_without_such_a_system_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_setaffinity")
    nothing = {"y": np.zeros(0)}
    found = circumstances(lambda _: nothing, nothing, {}, 1)
    assert found["batch size"] == {
        "to": "0", "same": None, "why": "there are too few test examples",
    }  # fmt: skip
    assert found["processors"]["same"] is None
    assert "binds no process" in found["processors"]["why"]


def test_dropout_at_inference_starts_from_the_same_state(tmp_path: Path) -> None:
    import keras

    class Always(keras.layers.Dropout):
        def call(self, inputs: Any, training: bool = False) -> Any:
            return super().call(inputs, training=True)

    def model(_settings: Any, seeds: Any) -> Any:
        dropout = Always(0.5, seed=seeds("dropout"))
        return e.compiled(keras.Sequential([keras.Input((6,)), *e.layers(dropout)]))

    code, data = e.code(model=model), e.prepared(tmp_path / "data")
    parameters = EvaluateParameters(threads=e.THREADS, settings={}, seed=0, batch_size=4)
    evaluate(code, data, e.untrained(code, data, tmp_path), parameters, tmp_path / "found")
    found = json.loads((tmp_path / "found/metrics.json").read_text())["inference"]
    assert found["same"]
    assert found["circumstances"]["processors"]["same"]
    # The draws of a batch depend on its size.
    assert not found["circumstances"]["batch size"]["same"]
