"""Models of the user's own class: evaluated by what they have, saved as far as Keras can."""

import json
from pathlib import Path
from typing import Any

import experiments as e
import numpy as np
import pytest
from repro.core.errors import UserError
from repro.core.parameters import EvaluateParameters, ProbeParameters
from repro.data.prepare import part
from repro.data.user_code import Code
from repro.model.evaluation import Inference, evaluate
from repro.model.training import Trained, train
from repro.probe.sanity_probe import probe
from repro.variables.by_path import read as weights_of
from test_resume import Killed, keeping, killed_after

PARAMETERS = EvaluateParameters(threads=e.THREADS, settings={}, seed=0, batch_size=16)
LOOPS = ("graph", "fit")


def autoencoder(built: bool = True, **methods: Any) -> Any:
    """A variational autoencoder as it is written in Keras' examples: no loss, no `call`."""

    def model(_settings: Any, seeds: Any) -> Any:
        import keras
        import tensorflow as tf

        def half(units: int, inputs: int, name: str) -> Any:
            dense = keras.layers.Dense(
                units, kernel_initializer=keras.initializers.HeNormal(seeds(name))
            )
            return keras.Sequential([*([keras.Input((inputs,))] if built else []), dense])

        class VAE(keras.Model):
            def __init__(self, encoder: Any, decoder: Any) -> None:
                super().__init__()
                self.encoder, self.decoder = encoder, decoder
                self.tracker = keras.metrics.Mean(name="loss")
                self.generator = keras.random.SeedGenerator(seeds("sampling"))

            @property
            def metrics(self) -> list[Any]:
                return [self.tracker]

            def train_step(self, data: Any) -> Any:
                x = data[0]
                with tf.GradientTape() as tape:
                    mean, spread = tf.split(self.encoder(x), 2, axis=1)
                    noise = keras.random.normal(tf.shape(mean), seed=self.generator)
                    decoded = self.decoder(mean + tf.exp(0.5 * spread) * noise)
                    fault = tf.reduce_mean(tf.square(x - decoded))
                    loss = fault - 0.01 * tf.reduce_mean(1 + spread - mean**2 - tf.exp(spread))
                gradients = tape.gradient(loss, self.trainable_weights)
                self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
                self.tracker.update_state(loss)
                return {"loss": self.tracker.result()}

        for name, method in methods.items():
            setattr(VAE, name, method)
        network = VAE(half(4, 6, "encoder"), half(6, 2, "decoder"))
        network.compile(optimizer=keras.optimizers.Adam(0.01))
        return network

    return model


def own_test_step(self: Any, data: Any) -> Any:
    import tensorflow as tf

    mean, _ = tf.split(self.encoder(data[0]), 2, axis=1)
    self.tracker.update_state(tf.reduce_mean(tf.square(data[0] - self.decoder(mean))))
    return {"loss": self.tracker.result()}


def own_call(self: Any, x: Any) -> Any:
    return self.decoder(self.encoder(x)[:, :2])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return e.prepared(tmp_path_factory.mktemp("data") / "data")


def done(
    experiment: Code, data: Path, out: Path, **asked: Any
) -> tuple[Trained, Inference, dict[str, Any]]:
    trained = e.trained(experiment, data, out, **asked)
    found = evaluate(experiment, data, out / "weights.safetensors", PARAMETERS, out)
    return trained, found, json.loads((out / "metrics.json").read_text())


CASES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "neither": ({}, {"metrics", "predictions"}),
    "a test_step": ({"test_step": own_test_step}, {"predictions"}),
    "a call": ({"call": own_call}, {"metrics"}),
    "both": ({"test_step": own_test_step, "call": own_call}, set()),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_evaluated_by_what_it_has(name: str, data: Path, tmp_path: Path) -> None:
    methods, missing = CASES[name]
    experiment = e.code(model=autoencoder(**methods))
    trained, found, report = done(experiment, data, tmp_path / "graph")
    assert trained.loop == "graph"
    assert set(found.left_out) == set(report.get("left_out", {})) == missing
    assert found.same
    assert set(report["metrics"]) == (set() if "metrics" in missing else {"loss"})
    with np.load(tmp_path / "graph/predictions.npz") as saved:
        assert set(saved) == ({"id"} if "predictions" in missing else {"id", "y"})
    columns = (tmp_path / "graph/history.csv").read_text().splitlines()[0].split(",")
    assert ("val_loss" in columns) == ("metrics" not in missing)
    told = report["inference"]["circumstances"]["processors"]
    assert (told["same"] is None) == ("predictions" in missing)
    # The other loop writes the same, so its weights would be evaluated alike.
    assert e.trained(experiment, data, tmp_path / "fit", loop="fit").loop == "fit"
    assert e.contents(tmp_path / "graph") == e.contents(tmp_path / "fit")


def test_what_is_left_out_is_said_before_training(data: Path, tmp_path: Path) -> None:
    said: list[str] = []
    train(e.code(model=autoencoder()), data, e.to_train(epochs=1), tmp_path, say=said.append)
    [line] = [line for line in said if "validated" in line]
    assert line == ("Not validated: the model has neither a loss nor a `test_step` of its own.")


def test_it_goes_on_after_a_kill(data: Path, tmp_path: Path) -> None:
    """By one of the loops, which share what resumes them."""
    experiment, asked = e.code(model=autoencoder()), {"loop": "fit", "epochs": 4}
    e.trained(experiment, data, tmp_path / "whole", **asked)
    kept = keeping(tmp_path / "kept")
    with pytest.raises(Killed), killed_after(2):
        e.trained(experiment, data, tmp_path / "killed", keeping=kept, **asked)
    assert e.trained(experiment, data, tmp_path / "on", keeping=kept, **asked).resumed == (2,)
    assert e.contents(tmp_path / "on") == e.contents(tmp_path / "whole")


def test_it_is_probed_too(data: Path, tmp_path: Path) -> None:
    asked = ProbeParameters(threads=e.THREADS, settings={}, seed=0, training=e.training())
    probe(e.code(model=autoencoder()), data, asked, tmp_path)
    found = json.loads((tmp_path / "probe.json").read_text())
    assert (found["noise"], found["seeds"]["error"]) == ([], None)


def test_layers_without_weights_and_no_call_are_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"layers that are built.*Received `sequential.*Input"):
        e.trained(e.code(model=autoencoder(built=False)), data, tmp_path)


def adding_its_loss(_settings: Any, _seeds: Any) -> Any:
    """No loss at `compile`: a layer adds it, and a step of the user's own trains by it."""
    import keras
    import tensorflow as tf

    class Adding(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            self.add_loss(tf.reduce_mean(tf.square(x)))
            return x

    class Own(keras.Model):
        def train_step(self, data: Any) -> Any:
            return super().train_step(data)

    inputs = keras.Input((6,))
    output = inputs
    for layer in [*e.layers(), Adding()]:
        output = layer(output)
    return e.compiled(Own(inputs, output), loss=None, metrics=None)


def test_a_loss_that_a_layer_adds_is_one(data: Path, tmp_path: Path) -> None:
    _, found, report = done(e.code(model=adding_its_loss), data, tmp_path)
    assert found.left_out == {}
    assert set(report["metrics"]) == {"loss"}
    assert "val_loss" in (tmp_path / "history.csv").read_text()


def nothing_to_optimise(_settings: Any, _seeds: Any) -> Any:
    import keras

    return e.compiled(keras.Sequential([keras.Input((6,)), *e.layers()]), loss=None)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_model_without_anything_to_optimise_is_refused(
    loop: str, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="Expected a model with a loss"):
        e.trained(e.code(model=nothing_to_optimise), data, tmp_path, loop=loop)
    assert not list(tmp_path.iterdir())


def without_config(_settings: Any, seeds: Any) -> Any:
    import keras

    class Net(keras.Model):
        def __init__(self, first: Any) -> None:
            super().__init__()
            self.first, [self.last] = first, e.layers()

        def call(self, x: Any) -> Any:
            return self.last(self.first(x))

    initial = keras.initializers.HeNormal(seeds("first"))
    return e.compiled(Net(lambda x: keras.ops.relu(x) + initial((6,))))


def test_what_keras_cannot_write_is_left_out_and_said(data: Path, tmp_path: Path) -> None:
    """By one of the loops, after which the same writes the files."""
    import keras

    keras.backend.clear_session()
    experiment, said = e.code(model=without_config), list[str]()
    asked = e.to_train(epochs=1, loop="graph")
    done = train(experiment, data, asked, tmp_path, say=said.append)
    assert done.keras_file.startswith("no: "), done
    assert "get_config" in done.keras_file or "serializ" in done.keras_file
    [line] = [line for line in said if "model.keras" in line]
    assert done.keras_file.removeprefix("no: ") in line
    assert {file.name for file in tmp_path.iterdir()} == set(e.FILES)
    weights = weights_of(tmp_path / "weights.safetensors")
    assert len(weights) == 2
    assert evaluate(experiment, data, tmp_path / "weights.safetensors", PARAMETERS, tmp_path).same
    assert len(part(data, "test")["id"]) == len(np.load(tmp_path / "predictions.npz")["y"])


def test_what_keras_can_write_is_there(data: Path, tmp_path: Path) -> None:
    assert e.trained(e.code(), data, tmp_path, epochs=1).keras_file == "yes"
    assert (tmp_path / "model.keras").stat().st_size
