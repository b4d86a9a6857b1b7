"""Evaluation: metrics, classes and predictions, twice; and mistakes of the user's code."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import experiments as e
import numpy as np
import pytest
from repro.core.errors import UserError
from repro.core.parameters import EvaluateParameters
from repro.data.user_code import Code
from repro.model.evaluation import evaluate

PARAMETERS = EvaluateParameters(threads=e.THREADS, settings={}, seed=0, batch_size=16)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return e.prepared(tmp_path_factory.mktemp("data") / "data", split=e.NO_VALIDATION)


@pytest.fixture(scope="module")
def weights(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("weights")
    e.trained(e.code(), data, out, epochs=1)
    return out / "weights.safetensors"


@pytest.fixture(scope="module")
def evaluated(data: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("evaluated")
    assert evaluate(e.code(), data, weights, PARAMETERS, out).same
    return out


def report(out: Path) -> dict[str, Any]:
    return json.loads((out / "metrics.json").read_text())


def test_the_report_tells_what_numpy_finds(data: Path, weights: Path, evaluated: Path) -> None:
    from repro.data.prepare import part
    from repro.variables.by_path import read

    found, test = report(evaluated), part(data, "test")
    first_kernel, first_bias, kernel, bias = read(weights).values()
    if first_kernel.ndim == 1:
        first_kernel, first_bias, kernel, bias = first_bias, first_kernel, bias, kernel
    hidden = np.maximum(test["x"] @ first_kernel + first_bias, 0)
    scores = hidden @ kernel + bias
    with np.load(evaluated / "predictions.npz") as saved:
        assert saved["id"].tolist() == test["id"].tolist()
        np.testing.assert_allclose(saved["y"], scores, rtol=1e-4, atol=1e-5)
    right = scores.argmax(axis=1) == test["y"]
    assert found["examples"] == len(right)
    assert found["metrics"]["accuracy"] == pytest.approx(right.mean())
    assert sum(c["right"] for c in found["per_class"]) == right.sum()
    told = found["inference"].pop("circumstances")
    assert found["inference"] == {"passes": 2, "same": True, "changed": []}
    assert (told["batch size"]["to"], told["batch size"]["other_class"]) == ("8", 0)
    assert told["processors"]["same"]


def test_it_writes_the_same_bytes_again(
    data: Path, weights: Path, evaluated: Path, tmp_path: Path
) -> None:
    evaluate(e.code(), data, weights, PARAMETERS, tmp_path)
    for file in ("metrics.json", "predictions.npz"):
        assert (tmp_path / file).read_bytes() == (evaluated / file).read_bytes()


def restless(settings: Any, seeds: Any) -> Any:
    import keras

    shift = float(np.random.default_rng().normal())
    model = e.mlp(settings, seeds)
    inputs = keras.Input((6,))
    return e.compiled(keras.Model(inputs, model(inputs) + shift))


@pytest.mark.slow
def test_inference_that_draws_at_random_is_found(data: Path, tmp_path: Path) -> None:
    experiment = e.code(model=restless)
    weights = e.untrained(experiment, data, tmp_path)
    assert not evaluate(experiment, data, weights, PARAMETERS, tmp_path).same
    found = report(tmp_path)["inference"]
    assert (found["passes"], found["same"], found["changed"]) == (2, False, [])


def always_training(_settings: Any, _seeds: Any) -> Any:
    import keras

    class Always(keras.layers.BatchNormalization):
        def call(self, inputs: Any, training: bool = False) -> Any:
            return super().call(inputs, training=True)

    return e.compiled(keras.Sequential([keras.Input((6,)), *e.layers(Always(name="norm"))]))


def learning_in_tests(_settings: Any, _seeds: Any) -> Any:
    import keras

    class Own(keras.Model):
        def test_step(self, data: Any) -> Any:
            for weight in self.trainable_weights:
                weight.assign(weight * 0.9 + 0.1)
            return super().test_step(data)

    inputs = keras.Input((6,))
    return e.compiled(Own(inputs, keras.layers.Dense(2, name="out")(inputs)))


@pytest.mark.parametrize(
    ("model", "changed"),
    [
        (always_training, ["sequential/norm/moving_mean", "sequential/norm/moving_variance"]),
        (learning_in_tests, ["out/kernel", "out/bias"]),
    ],
)
def test_weights_that_evaluation_changes_are_found(
    model: Any, changed: list[str], data: Path, tmp_path: Path
) -> None:
    experiment = e.code(model=model)
    weights = e.untrained(experiment, data, tmp_path)
    evaluate(experiment, data, weights, PARAMETERS, tmp_path)
    assert report(tmp_path)["inference"]["changed"] == changed


def counting(_settings: Any, _seeds: Any) -> Any:
    import keras

    class Counting(keras.layers.Layer):
        def build(self, _shape: Any) -> None:
            self.calls = self.add_weight(
                shape=(), dtype="int32", trainable=False, initializer="zeros"
            )

        def call(self, x: Any) -> Any:
            self.calls.assign_add(1)
            return x

    between = [Counting(), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]
    return e.compiled(keras.Sequential([keras.Input((6,)), *e.layers(*between)]))


def handing_on(_settings: Any, _seeds: Any) -> Any:
    import keras

    inputs = keras.Input((3, 2), batch_size=10)
    output = keras.layers.LSTM(2, stateful=True)(inputs)
    return e.compiled(keras.Model(inputs, keras.layers.Dense(2)(output)))


def in_tens(*arguments: Any) -> dict[str, Any]:
    return {**e.sequences(*arguments), "group": np.repeat(np.arange(12), 10)}


@pytest.mark.parametrize(
    ("model", "dataset"), [(counting, e.table), (handing_on, in_tens)], ids=["counter", "states"]
)
def test_what_evaluation_may_change_is_left_alone(model: Any, dataset: Any, tmp_path: Path) -> None:
    data = e.prepared(tmp_path / "data", dataset, {"train": 0.5, "validation": 0.0, "test": 0.5})
    experiment = e.code(model=model, dataset=dataset)
    e.trained(experiment, data, tmp_path, epochs=1, batch_size=10, loop="fit")
    parameters = replace(PARAMETERS, batch_size=10)
    evaluate(experiment, data, tmp_path / "weights.safetensors", parameters, tmp_path)
    assert report(tmp_path)["inference"]["changed"] == []


def diverging(settings: Any, seeds: Any) -> Any:
    import keras

    return e.compiled(e.mlp(settings, seeds), optimizer=keras.optimizers.SGD(1e30))


def test_a_training_that_diverged_is_reported(data: Path, tmp_path: Path) -> None:
    experiment = e.code(model=diverging)
    e.trained(experiment, data, tmp_path, epochs=1)
    assert evaluate(experiment, data, tmp_path / "weights.safetensors", PARAMETERS, tmp_path).same
    assert report(tmp_path)["metrics"]["loss"] in ("nan", "inf")


def uncompiled(_settings: Any, _seeds: Any) -> Any:
    import keras

    return keras.Sequential([keras.Input((6,)), *e.layers()])


def failing(_settings: Any, _seeds: Any) -> Any:
    raise ValueError("no such width")


def misshapen(_settings: Any, _seeds: Any) -> Any:
    import keras

    return e.compiled(keras.Sequential([keras.Input((7,)), *e.layers()]))


def pooling(settings: Any, seeds: Any) -> Any:
    import keras

    inputs = keras.Input((6,))
    output = e.mlp(settings, seeds)(inputs)
    return e.compiled(keras.Model(inputs, keras.ops.mean(output, axis=0, keepdims=True)))


def bad_augment(x: Any, _y: Any, _seed: Any) -> Any:
    return x


def failing_augment(x: Any, y: Any, seed: Any) -> Any:
    return x @ y, seed


MISTAKES: list[tuple[Code, str]] = [
    (e.code(model=uncompiled), r"a compiled model\. Received one that is not compiled"),
    (e.code(model=lambda *_: "model"), r"return a keras\.Model\. Received str"),
    (e.code(model=lambda *_: None), r"return a keras\.Model\. Received NoneType"),
    (e.code(model=failing), r"`model` .* ValueError \(no such width\)"),
    (e.code(model=misshapen), r"an input that fits the layer `dense.*to have value 7"),
    (e.code(augment=bad_augment), r"`augment` to return the batch \(x, y\)"),
    (e.code(augment=failing_augment), r"`augment` of the experiment's code .* TypeError"),
    (e.code(callbacks=failing), r"`callbacks` of the experiment's code .*no such width"),
]


@pytest.mark.parametrize("number", range(len(MISTAKES)))
@pytest.mark.parametrize("loop", ["auto", "fit"])
def test_a_mistake_in_the_users_code_is_a_sentence(
    number: int, loop: str, data: Path, tmp_path: Path
) -> None:
    experiment, words = MISTAKES[number]
    with pytest.raises(UserError, match=words):
        e.trained(experiment, data, tmp_path, loop=loop)
    assert not list(tmp_path.iterdir())


def test_another_model_than_the_trained_one_is_told(
    data: Path, weights: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"variables of weights\.safetensors"):
        evaluate(e.code(model=e.scheduled), data, weights, PARAMETERS, tmp_path)
    assert not list(tmp_path.iterdir())
