"""Whatever shape `dataset` returns is fed as Keras feeds it, by both loops, to the last bit."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import experiments as e
import numpy as np
import pytest
from repro.core.parameters import EvaluateParameters, ProbeParameters
from repro.data.prepare import part
from repro.data.user_code import Code
from repro.model.evaluation import evaluate
from repro.probe.sanity_probe import probe
from repro.sanity.results import facts_of


def features() -> Any:
    return e.table(None, None, None)["x"]


def labels() -> Any:
    return e.table(None, None, None)["y"]


def initial(name: str) -> Any:
    import keras
    from repro.core.seeding import Seeds

    return keras.initializers.GlorotUniform(Seeds(0)(name))


def dense(units: int, name: str) -> Any:
    import keras

    return keras.layers.Dense(units, kernel_initializer=initial(name), name=name)


def alone(*_: Any) -> Any:
    return features()


def alone_by_name(*_: Any) -> Any:
    return {"x": {"left": features()[:, :2], "right": features()[:, 2:]}}


def alone_in_two(*_: Any) -> Any:
    return {"x": [features()[:, :2], features()[:, 2:]]}


def auto_encoder(_settings: Any, _seeds: Any) -> Any:
    """A model with a step of its own, which is given the inputs as `fit(x)` gives them."""
    import keras
    import tensorflow as tf

    class AutoEncoder(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.outer = dense(3, "inner"), dense(6, "outer")
            self.error = keras.metrics.Mean(name="loss")

        def call(self, x: Any) -> Any:
            x = tf.concat([x["left"], x["right"]], 1) if isinstance(x, Mapping) else x
            return self.outer(self.inner(x))

        @property
        def metrics(self) -> list[Any]:
            return [self.error]

        def train_step(self, data: Any) -> Any:
            assert not isinstance(data, tuple)
            with tf.GradientTape() as tape:
                loss = self.distance(data)
            gradients = tape.gradient(loss, self.trainable_weights)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
            self.error.update_state(loss)
            return {"loss": self.error.result()}

        def test_step(self, data: Any) -> Any:
            assert not isinstance(data, tuple)
            self.error.update_state(self.distance(data))
            return {"loss": self.error.result()}

        def distance(self, x: Any) -> Any:
            whole = tf.concat([x["left"], x["right"]], 1) if isinstance(x, Mapping) else x
            return tf.reduce_mean((whole - self(x)) ** 2)

        def get_config(self) -> dict[str, Any]:
            return {}

    model = AutoEncoder()
    model.compile(optimizer=keras.optimizers.Adam(0.01))
    return model


def contrasted(_settings: Any, _seeds: Any) -> Any:
    """Two inputs without labels, and a loss that a layer adds."""
    import keras

    class Apart(keras.layers.Layer):
        def call(self, left: Any, right: Any) -> Any:
            self.add_loss(keras.ops.mean((left - right) ** 2))
            return left - right

    inputs = (keras.Input((2,)), keras.Input((4,)))
    outputs = Apart()(dense(3, "one")(inputs[0]), dense(3, "two")(inputs[1]))
    model = keras.Model(inputs, outputs)
    model.compile(optimizer=keras.optimizers.Adam(0.01))
    return model


def two_outputs(*_: Any) -> Any:
    return features(), [labels(), features()[:, :1]]


def two_heads(_settings: Any, _seeds: Any) -> Any:
    import keras

    inputs = keras.Input((6,))
    model = keras.Model(inputs, [dense(2, "kind")(inputs), dense(1, "size")(inputs)])
    kind = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss=[kind, "mse"],
                  metrics=[["accuracy"], ["mae"]])  # fmt: skip
    return model


def nested(*_: Any) -> Any:
    x = {"table": {"left (cm)": features()[:, :2]}, "rest": (features()[:, 2:4], features()[:, 4:])}
    return {"x": x, "y": {"kind": labels(), "size": features()[:, :1]}}


def of_nest(_settings: Any, _seeds: Any) -> Any:
    import keras

    class Nested(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.kind, self.size = dense(2, "kind"), dense(1, "size")

        def call(self, x: Any) -> Any:
            first, second = x["rest"]
            whole = keras.ops.concatenate([x["table"]["left (cm)"], first, second], 1)
            return {"kind": self.kind(whole), "size": self.size(whole)}

        def get_config(self) -> dict[str, Any]:
            return {}

    model, kind = Nested(), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss={"kind": kind, "size": "mse"})
    return model


def noise_alone(x: Any, y: Any, seed: Any) -> Any:
    import tensorflow as tf

    assert y is None
    return x + 0.1 * tf.random.stateless_normal(tf.shape(x), seed), None


CASES: dict[str, dict[str, Any]] = {
    "inputs alone, augmented": {"dataset": alone, "model": auto_encoder, "augment": noise_alone},
    "inputs alone, by name": {"dataset": alone_by_name, "model": auto_encoder},
    "two inputs alone": {"dataset": alone_in_two, "model": contrasted},
    "two outputs": {"dataset": two_outputs, "model": two_heads},
    "a nest, outputs by name": {"dataset": nested, "model": of_nest},
}


@pytest.mark.parametrize("name", CASES)
def test_a_shape_is_trained_evaluated_and_probed(name: str, tmp_path: Path) -> None:
    experiment = Code(e.code(**CASES[name]).module, Path(__file__).parent)
    data = e.prepared(tmp_path / "data", CASES[name]["dataset"])
    graph = e.trained(experiment, data, tmp_path / "graph")
    fit = e.trained(experiment, data, tmp_path / "fit", loop="fit")
    assert (graph.loop, fit.loop) == ("graph", "fit")
    for file, content in e.contents(tmp_path / "graph").items():
        assert content == (tmp_path / "fit" / file).read_bytes(), file
    asked = EvaluateParameters(threads=e.THREADS, settings={}, seed=0, batch_size=16)
    graph_folder = tmp_path / "graph"
    weights = graph_folder / "weights.safetensors"
    assert evaluate(experiment, data, weights, asked, graph_folder).same
    metrics = json.loads((graph_folder / "metrics.json").read_text())["metrics"]
    assert metrics["loss"] > 0
    with np.load(graph_folder / "predictions.npz") as saved:
        assert saved["id"].tolist() == part(data, "test")["id"].tolist()
    facts = facts_of(data, graph_folder)
    assert (facts.nonfinite, facts.constant) == ({}, ())
    looked = ProbeParameters(threads=e.THREADS, settings={}, training=e.training(), seed=0)
    probe(experiment, data, looked, tmp_path)
    found = json.loads((tmp_path / "probe.json").read_text())
    assert found["unlooked"] == {}
    assert found["noise"] == []


def test_batches_are_prepared_as_arrays_are(tmp_path: Path) -> None:
    """So all that comes after reads the same bytes."""
    import tensorflow as tf

    def batches(*_: Any) -> Any:
        return tf.data.Dataset.from_tensor_slices((features(), labels())).batch(7)

    written = [e.prepared(tmp_path / d.__name__, d) for d in (batches, e.table)]
    one, other = ({file.relative_to(folder): file.read_bytes() for file in folder.rglob("*.*")}
                  for folder in written)  # fmt: skip
    assert {Path("train/x.npy"), Path("test/y.npy")} < set(one)
    assert one == other


def test_inputs_alone_train_as_fit_trains_them(tmp_path: Path) -> None:
    """Against Keras' own `fit(x)`, on the same batches; both loops agree on them anyway."""
    import keras
    from repro.data.order import order
    from repro.variables.by_path import by_path, read

    data = e.prepared(tmp_path / "data", alone, e.NO_VALIDATION)
    assert e.trained(e.code(model=auto_encoder), data, tmp_path, epochs=1).loop == "graph"
    x = np.asarray(part(data, "train")["x"])
    keras.backend.clear_session()
    model = auto_encoder(None, None)
    model.fit(x[order(0, 0, len(x))], shuffle=False, batch_size=16, epochs=1, verbose=0)
    trained = read(tmp_path / "weights.safetensors")
    assert trained
    for path, variable in by_path(model.weights).items():
        np.testing.assert_allclose(trained[path], variable.numpy(), rtol=1e-5, atol=1e-7)


def test_a_fixed_test_part_stays_what_it_was(tmp_path: Path) -> None:
    x, y = features(), labels()
    prepared = e.prepared(tmp_path / "data", lambda *_: ((x[:90], y[:90]), (x[90:], y[90:])))
    sizes = {name: len(part(prepared, name)["id"]) for name in ("train", "validation", "test")}
    assert sizes["test"] == 30
    assert sizes["train"] + sizes["validation"] == 90
    assert sizes["validation"] > 3
    rows = {tuple(row) for row in part(prepared, "test")["x"].tolist()}
    assert rows == set(map(tuple, x[90:].tolist()))


def test_without_a_share_nothing_is_split_off(tmp_path: Path) -> None:
    x, y = features(), labels()
    split = {"train": 0.8, "validation": 0.0, "test": 0.2}
    given = {"train": (x[:90], y[:90]), "test": (x[90:], y[90:])}
    prepared = e.prepared(tmp_path / "data", lambda *_: given, split)
    assert len(part(prepared, "train")["id"]) == 90
    assert part(prepared, "validation") == {}
    assert replace(e.PREPARE, split=split).limits == {}
