"""One step in detail: the same digests where training is the same, the right address where not."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import experiments as e
import numpy as np
import pytest
from repro.core.experiment import Code
from repro.core.seeding import Seeds
from repro.judge.culprit import Culprit, culprit
from repro.model.detail import Detail
from repro.model.training import train

HERE = Path(__file__)


def looked(
    code: Code, data: Path, out: Path, step: int = 1, **changed: Any
) -> list[dict[str, Any]]:
    """The tensors of one step of a training that ends with it."""
    import keras

    keras.backend.clear_session()
    keras.utils.set_random_seed(Seeds(0)("global"))
    training = {"epochs": 1, "batch_size": 16, "loop": "auto", "trace": "step",
                "threads": {"intra": 2, "inter": 1}, **changed}  # fmt: skip
    parameters = {"settings": {}, "training": training, "seed": 0, "limit": {"steps": step + 1}}
    detail = Detail(HERE, 0, step)
    train(code, data, parameters, out, detail)
    return detail.tensors()


def code(**functions: Any) -> Code:
    """An experiment whose file is this one."""
    return Code(e.code(**functions).module, HERE)


EQUAL: Mapping[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "mlp": (e.table, {"model": e.mlp}),
    "cnn": (e.images, {"model": e.cnn, "augment": e.noise}),
    "lstm": (e.sequences, {"model": e.lstm}),
    "own step": (e.table, {"model": e.own_step}),
    "two inputs": (e.two_inputs, {"model": e.two_towers}),
}


@pytest.mark.parametrize("name", EQUAL)
def test_the_same_step_has_the_same_digests(name: str, tmp_path: Path) -> None:
    dataset, functions = EQUAL[name]
    data = e.prepared(tmp_path / "data", dataset)
    one, two = (
        looked(code(**functions), data, tmp_path / loop, loop=loop) for loop in ("graph", "fit")
    )
    assert one == two
    assert {"forward", "gradient", "update"} <= {each["phase"] for each in one}
    assert culprit({"tensors": one, "layers": {}}, {"tensors": two, "layers": {}}) is None
    earlier = looked(code(**functions), data, tmp_path / "earlier", step=0)
    assert [each["name"] for each in earlier] == [each["name"] for each in one]
    assert earlier != one


def entropy() -> int:
    return int.from_bytes(os.urandom(4), "little")


def noisy_layer(_settings: Any, seeds: Any) -> Any:
    import keras
    import tensorflow as tf

    class Noisy(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            noise = tf.py_function(lambda: np.random.default_rng().normal(), [], tf.float32)  # here
            return x + tf.reshape(noise, [])

    return e.compiled(keras.Sequential([keras.Input((6,)), *e.layers(Noisy(name="odd"))]))


def random_layer(_settings: Any, seeds: Any) -> Any:
    import keras
    import tensorflow as tf

    tf.random.set_seed(entropy())

    class Noisy(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x + tf.random.normal(tf.shape(x))  # here

    inner = keras.Sequential([keras.Input((6,)), Noisy(name="odd")], name="encoder")
    inputs = keras.Input((6,))
    (last,) = e.layers()
    return e.compiled(keras.Model(inputs, last(inner(inputs))))


def dropout(_settings: Any, seeds: Any) -> Any:
    import keras

    odd = keras.layers.Dropout(0.3, seed=entropy(), name="odd")
    return e.compiled(keras.Sequential([keras.Input((6,)), *e.layers(odd)]))


def cell(_settings: Any, seeds: Any) -> Any:
    import keras
    import tensorflow as tf

    tf.random.set_seed(entropy())

    class Cell(keras.layers.Layer):
        state_size = output_size = 2

        def call(self, x: Any, states: Any) -> Any:
            return x + tf.random.normal([2]), states  # here

    rnn = keras.layers.RNN(Cell(), name="odd")
    return e.compiled(keras.Sequential([keras.Input((3, 2)), *e.layers(rnn)]))


def augmented(_settings: Any, seeds: Any) -> Any:
    import tensorflow as tf

    global generator
    generator = tf.random.Generator.from_seed(entropy())
    return e.mlp(_settings, seeds)


def augment(x: Any, y: Any, seed: Any) -> Any:
    if x.shape[1] == 6:  # converted by autograph
        x = x + generator.normal([6])  # here
    return x, y


def noisy_gradient(_settings: Any, seeds: Any) -> Any:
    import keras
    import tensorflow as tf

    tf.random.set_seed(entropy())

    class Own(keras.Model):
        def train_step(self, data: Any) -> Any:
            x, y = data
            with tf.GradientTape() as tape:
                loss = self.compute_loss(x, y, self(x, training=True))
            gradients = tape.gradient(loss, self.trainable_variables)
            gradients = [g + tf.random.normal(g.shape) for g in gradients]  # here
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
            return {"loss": loss}

    inputs = keras.Input((6,))
    (last,) = e.layers()
    return e.compiled(Own(inputs, last(inputs)))


def noisy_optimizer(_settings: Any, seeds: Any) -> Any:
    import keras
    import tensorflow as tf

    tf.random.set_seed(entropy())

    class Noisy(keras.optimizers.SGD):
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> Any:
            gradient = gradient + tf.random.normal(gradient.shape)  # here
            super().update_step(gradient, variable, learning_rate)

    (last,) = e.layers()
    last.name = "odd"
    model = keras.Sequential([keras.Input((6,)), last])
    return e.compiled(model, optimizer=Noisy(0.1))


def noisy_loss(_settings: Any, seeds: Any) -> Any:
    import keras
    import tensorflow as tf

    tf.random.set_seed(entropy())

    def loss(y: Any, predicted: Any) -> Any:
        drawn = tf.random.uniform([])  # here
        return drawn * keras.losses.sparse_categorical_crossentropy(y, predicted, from_logits=True)

    return e.compiled(keras.Sequential([keras.Input((6,)), *e.layers()]), loss=loss)


def touching(_settings: Any, _seeds: Any) -> Any:
    import keras

    class Touch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            weight = self.model.layers[0].bias
            weight.assign_add(np.full(weight.shape, np.random.default_rng().normal(), "float32"))

    return [Touch()]


FAULTS: Mapping[str, tuple[dict[str, Any], Culprit]] = {
    "a layer that calls NumPy": (
        {"model": noisy_layer},
        Culprit("*", "EagerPyFunc", "odd", "forward", HERE.name, 0),
    ),
    "a layer in an inner model": (
        {"model": random_layer},
        Culprit("*", "RandomStandardNormal", "encoder/odd", "forward", HERE.name, 0),
    ),
    "dropout": (
        {"model": dropout},
        Culprit("seed_generator/seed_generator_state", "Variable", "odd", "other", None, None),
    ),
    "a recurrent cell": (
        {"model": cell, "dataset": e.sequences},
        Culprit("*", "RandomStandardNormal", "odd/cell", "forward", HERE.name, 0),
    ),
    "augmentation": (
        {"model": augmented, "augment": augment},
        Culprit("*", "RngReadAndSkip", None, "augmentation", HERE.name, 0),
    ),
    "noise on gradients": (
        {"model": noisy_gradient},
        Culprit("*", "RandomStandardNormal", None, "gradient", HERE.name, 0),
    ),
    "noise in an optimizer": (
        {"model": noisy_optimizer},
        Culprit("*", "RandomStandardNormal", "odd", "update", HERE.name, 0),
    ),
    "a loss": (
        {"model": noisy_loss},
        Culprit("*", "RandomUniform", None, "forward", HERE.name, 0),
    ),
    "a callback": (
        {"callbacks": touching},
        Culprit("sequential/dense/bias", "Variable", "dense", "other", None, None),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, tmp_path: Path) -> None:
    functions, expected = FAULTS[name]
    data = e.prepared(tmp_path / "data", functions.get("dataset", e.table))
    step = int("callbacks" in functions)  # what a callback does, the next step finds
    runs = [looked(code(**functions), data, tmp_path / run, step) for run in "ab"]
    found = culprit(*({"tensors": tensors, "layers": {}} for tensors in runs))
    print(found)
    assert found is not None
    assert (found.op, found.layer, found.phase, found.file) == (
        expected.op, expected.layer, expected.phase, expected.file,
    )  # fmt: skip
    if expected.name != "*":
        assert found.name == expected.name
    if found.file:
        assert "# here" in HERE.read_text("utf-8").splitlines()[(found.line or 0) - 1]
