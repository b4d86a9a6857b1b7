"""Predictions that depend on who else is in the batch are found, at any place and with dropout."""

from pathlib import Path
from typing import Any

import experiments as e
import numpy as np
import pytest
from repro.core.parameters import EvaluateParameters
from repro.model.evaluation import Inference, evaluate
from repro.model.inference import companions

PARAMETERS = EvaluateParameters(threads=e.THREADS, settings={}, seed=0, batch_size=8)


def evaluated(model: Any, folder: Path, dataset: Any = e.table) -> Inference:
    code = e.code(model=model, dataset=dataset)
    data = e.prepared(folder / "data", dataset, {"train": 0.5, "validation": 0.0, "test": 0.5})
    return evaluate(code, data, e.untrained(code, data, folder), PARAMETERS, folder / "found")


def over_the_batch(settings: Any, seeds: Any, axis: int = 0) -> Any:
    import keras

    class Probabilities(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return keras.ops.softmax(inputs, axis=axis)

    inputs = keras.Input((6,))
    model = keras.Model(inputs, Probabilities()(e.mlp(settings, seeds)(inputs)))
    return e.compiled(model, loss="sparse_categorical_crossentropy")


def over_the_classes(settings: Any, seeds: Any) -> Any:
    return over_the_batch(settings, seeds, axis=-1)


def centred(settings: Any, seeds: Any) -> Any:
    import keras

    class Centred(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs - keras.ops.mean(inputs, axis=0, keepdims=True)

    inputs = keras.Input((6,))
    return e.compiled(keras.Model(inputs, e.mlp(settings, seeds)(Centred()(inputs))))


def batch_normalisation(settings: Any, seeds: Any) -> Any:
    import keras

    class Always(keras.layers.BatchNormalization):
        def call(self, inputs: Any, training: bool = False) -> Any:
            return super().call(inputs, training=True)

    return e.compiled(keras.Sequential([keras.Input((6,)), *e.layers(Always())]))


@pytest.mark.parametrize("model", [over_the_batch, centred, batch_normalisation])
def test_companions_that_matter_are_found(model: Any, tmp_path: Path) -> None:
    found = evaluated(model, tmp_path).companions
    assert found["examples"] == 16
    assert found.get("changed", 0) > 12
    assert float(found.get("largest_difference") or 0) > 0.001


def dropout_at_inference(_settings: Any, seeds: Any) -> Any:
    import keras

    class Always(keras.layers.Dropout):
        def call(self, inputs: Any, training: bool = False) -> Any:
            return super().call(inputs, training=True)

    dropout = Always(0.5, seed=seeds("dropout"))
    return e.compiled(keras.Sequential([keras.Input((6,)), *e.layers(dropout)]))


def texts(*arguments: Any) -> dict[str, Any]:
    found = e.table(*arguments)
    return {**found, "x": np.where(found["x"][:, :1] > 0, "large", "small"), "id": np.arange(120)}


def of_texts(_settings: Any, _seeds: Any) -> Any:
    import keras

    lookup = keras.layers.StringLookup(vocabulary=["large", "small"], output_mode="one_hot")
    inputs = keras.Input((1,), dtype="string")
    (out,) = e.layers()
    return e.compiled(keras.Model(inputs, out(lookup(inputs))))


@pytest.mark.parametrize(
    ("model", "dataset"),
    [
        (over_the_classes, e.table), (e.cnn, e.images), (e.lstm, e.sequences),
        (e.two_towers, e.two_inputs), (dropout_at_inference, e.table), (of_texts, texts),
    ],
)  # fmt: skip
def test_companions_that_do_not_matter_are_left_alone(
    model: Any, dataset: Any, tmp_path: Path
) -> None:
    found = evaluated(model, tmp_path, dataset).companions
    assert found == {"examples": 16, "changed": 0, "largest_difference": None}


def drawing_anew(settings: Any, seeds: Any) -> Any:
    import keras
    import tensorflow as tf

    class Noisy(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs + tf.random.normal(tf.shape(inputs))

    inputs = keras.Input((6,))
    return e.compiled(keras.Model(inputs, e.mlp(settings, seeds)(Noisy()(inputs))))


def test_what_draws_anew_cannot_be_looked_at(tmp_path: Path) -> None:
    import json

    inference = evaluated(drawing_anew, tmp_path)
    assert inference.same
    assert inference.companions == {
        "examples": 0,
        "why": "predicting again in the same process gives other predictions by itself",
    }
    found = json.loads((tmp_path / "found/metrics.json").read_text())["inference"]["circumstances"]
    # Neither batch size nor processor is blamed for what comes without them.
    assert [entry["same"] for entry in found.values()] == [None, None]


def test_rounding_is_no_companion() -> None:
    def predict(rows: Any) -> dict[str, Any]:
        shift = 1e-7 * float(rows.sum())
        return {"y": (rows[:, None] + np.array([0.0, shift])).astype(np.float32)}

    rows = np.arange(6)
    assert companions(predict, predict(rows), 4).get("changed") == 0


def test_classes_that_are_predicted_change_as_a_whole() -> None:
    def predict(rows: Any) -> dict[str, Any]:
        return {"y": rows + (rows.max() == 5)}

    found = companions(predict, predict(np.arange(6)), 6)
    # Only where the largest is replaced.
    assert (found.get("changed"), found.get("largest_difference")) == (3, "1.0")


@pytest.mark.parametrize(("examples", "batch_size"), [(0, 4), (1, 4), (6, 1)])
def test_who_is_alone_has_no_companions(examples: int, batch_size: int) -> None:
    before = {"y": np.zeros(examples)}
    assert companions(lambda _: before, before, batch_size) == {"examples": 0}
