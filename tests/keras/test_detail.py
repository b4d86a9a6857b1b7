"""One step in detail: the same digests where training is the same, the right address where not."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import experiments as e
import numpy as np
import pytest
from repro.cause.first_divergent_op import Culprit, culprit
from repro.core.seeding import Seeds
from repro.data.user_code import Code, load
from repro.model.training import train
from repro.watch.call_recorder import watched
from repro.watch.op_trace import Detail, digest

HERE = Path(__file__)


def looked(
    code: Code, data: Path, out: Path, step: int = 1, path: Path = HERE, **changed: Any
) -> list[dict[str, Any]]:
    """The tensors of one step of a training that ends with it."""
    import keras

    keras.backend.clear_session()
    keras.utils.set_random_seed(Seeds(0)("global"))
    parameters = e.to_train({"steps": step + 1}, **{"epochs": 1, **changed})
    detail = Detail(path, 0, step)
    train(code, data, parameters, out, detail)
    return detail.tensors()


def code(**functions: Any) -> Code:
    """An experiment whose file is this one."""
    return Code(e.code(**functions).module, HERE)


EQUAL: Mapping[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "cnn": (e.images, {"model": e.cnn, "augment": e.noise}),
    "lstm": (e.sequences, {"model": e.lstm}),
    "own step": (e.table, {"model": e.own_step}),
    "two inputs": (e.two_inputs, {"model": e.two_towers}),
}
TRAINED = {"conv2d", "batch_normalization", "dense"}
LAYERS: Mapping[str, Mapping[str, set[str]]] = {
    "cnn": {
        "forward": {*TRAINED, "re_lu", "flatten", "dropout"},
        "gradient": {*TRAINED, "re_lu", "flatten", "dropout"},
        "update": TRAINED,
        "augmentation": set(),
    },
    "lstm": {
        "forward": {"lstm", "lstm/lstm_cell", "dense"},
        "gradient": {"lstm", "dense"},
        "update": {"lstm/lstm_cell", "dense"},
    },
}


@pytest.mark.parametrize("name", EQUAL)
def test_the_same_step_has_the_same_digests(name: str, tmp_path: Path) -> None:
    dataset, functions = EQUAL[name]
    data = e.prepared(tmp_path / "data", dataset, e.NO_VALIDATION)
    one, two = (
        looked(code(**functions), data, tmp_path / loop, loop=loop) for loop in ("graph", "fit")
    )
    assert one == two
    assert all(number < n for n, each in enumerate(one) for number in each["inputs"])
    assert {each["phase"] for each in one if each["op"] == "ArgMax"} <= {"other"}  # a metric's
    for phase, layers in LAYERS.get(name, {}).items():
        assert {each["layer"] for each in one if each["phase"] == phase} - {None} == layers
    assert culprit({"tensors": one, "layers": {}}, {"tensors": two, "layers": {}}) is None


def test_another_step_has_other_digests(tmp_path: Path) -> None:
    data = e.prepared(tmp_path / "data", split=e.NO_VALIDATION)
    one, two = (looked(code(), data, tmp_path / str(step), step=step) for step in (0, 1))
    assert [each["name"] for each in one] == [each["name"] for each in two]
    assert {n["op"] for n, other in zip(one, two, strict=True) if n == other} >= {"Const"}
    same = [n["name"] for n, other in zip(one, two, strict=True) if n == other]
    assert not {"data:0", "sequential/dense/kernel", "adam/iteration"} & set(same)


@pytest.mark.parametrize(("eager", "step"), [(True, 0), (False, 3)])
def test_nothing_is_told_of_a_step_that_was_not_traced(
    eager: bool, step: int, tmp_path: Path
) -> None:
    def model(settings: Any, seeds: Any) -> Any:
        return e.compiled(e.mlp(settings, seeds), run_eagerly=eager)

    data = e.prepared(tmp_path / "data", split=e.NO_VALIDATION)
    detail = Detail(HERE, 0, step)
    parameters = e.to_train({"steps": 2}, epochs=1)
    train(code(model=model, augment=e.noise), data, parameters, tmp_path / "out", detail)
    assert detail.tensors() == []


def test_a_digest_tells_bits_type_shape_and_text_apart() -> None:
    import tensorflow as tf

    arrays = [
        np.zeros(2, "float32"), -np.zeros(2, "float32"), np.zeros(2, "int32"), np.zeros(1, "int64"),
        np.zeros((2, 1), "float32"), np.zeros((0, 2), "float32"), np.float32(0),
        np.zeros(2, tf.bfloat16.as_numpy_dtype), np.array([b"ab", b"c"], object),
        np.array([b"a", b"bc"], object),
    ]  # fmt: skip
    found = [digest(np.asarray(array)) for array in arrays]
    assert len(set(found)) == len(arrays)
    assert found == [digest(np.array(array)) for array in arrays]


def compiled(model: Any, **options: Any) -> Any:
    """With as few operations to be looked at as can be."""
    import keras

    return e.compiled(
        model, **{"optimizer": keras.optimizers.SGD(0.01), "metrics": None, **options}
    )


def entropy() -> int:
    return int.from_bytes(os.urandom(4), "little")


def noisy_layer(_settings: Any, seeds: Any) -> Any:
    import keras
    import tensorflow as tf

    class Noisy(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            noise = tf.py_function(lambda: np.random.default_rng().normal(), [], tf.float32)  # here
            return x + tf.reshape(noise, [])

    return compiled(keras.Sequential([keras.Input((6,)), *e.layers(Noisy(name="odd"))]))


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
    return compiled(keras.Model(inputs, last(inner(inputs))))


def dropout(_settings: Any, seeds: Any) -> Any:
    import keras

    odd = keras.layers.Dropout(0.3, seed=entropy(), name="odd")
    return compiled(keras.Sequential([keras.Input((6,)), *e.layers(odd)]))


def cell(_settings: Any, seeds: Any) -> Any:
    import keras
    import tensorflow as tf

    tf.random.set_seed(entropy())

    class Cell(keras.layers.Layer):
        state_size = output_size = 2

        def call(self, x: Any, states: Any) -> Any:
            return x + tf.random.normal([2]), states  # here

    rnn = keras.layers.RNN(Cell(), name="odd")
    return compiled(keras.Sequential([keras.Input((3, 2)), *e.layers(rnn)]))


def augmented(_settings: Any, seeds: Any) -> Any:
    import tensorflow as tf

    global generator
    generator = tf.random.Generator.from_seed(entropy())
    return e.small(_settings, seeds)


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
    return compiled(Own(inputs, last(inputs)))


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
    return compiled(model, optimizer=Noisy(0.1))


def noisy_loss(_settings: Any, seeds: Any) -> Any:
    import keras
    import tensorflow as tf

    tf.random.set_seed(entropy())

    def loss(y: Any, predicted: Any) -> Any:
        drawn = tf.random.uniform([])  # here
        return drawn * keras.losses.sparse_categorical_crossentropy(y, predicted, from_logits=True)

    return compiled(keras.Sequential([keras.Input((6,)), *e.layers()]), loss=loss)


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
        Culprit("odd/seed_generator/seed_generator_state", "Variable", "odd", "other", None, None),
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
        {"model": e.small, "callbacks": touching},
        Culprit("sequential/dense/bias", "Variable", "dense", "other", None, None),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, tmp_path: Path) -> None:
    functions, expected = FAULTS[name]
    dataset = functions.get("dataset", e.table)
    data = e.prepared(tmp_path / "data", dataset, e.NO_VALIDATION)
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


EXPERIMENT = """
import keras
import numpy as np
import tensorflow as tf
from repro.core.seeding import Seeds


def dataset(data, settings, seeds):
    x = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
    options = tf.data.Options()
    options.deterministic = False  # unordered stream
    stream = tf.data.Dataset.from_tensor_slices((x, (x[:, 0] > 0).astype("int32")))
    stream.shuffle(4)  # generator without a seed
    stream.shuffle(4, seed=1)
    stream.map(lambda x, y: (x, y), num_parallel_calls=2)  # threads
    return stream.with_options(options)


class Scaled(keras.layers.Layer):
    @tf.function
    def call(self, x):
        if tf.reduce_sum(x) > 0:
            x = x * drawn()
        return x


def drawn():
    return np.random.default_rng().normal()  # generator without a seed


def model(settings, seeds):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            Scaled(name="scaled"),  # the layer scaled
            keras.layers.Dense(2, name="last"),  # the layer last
        ]
    )
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def augment(x, y, seed):
    if tf.reduce_any(y > 0):
        x = x + np.random.default_rng().normal()  # generator without a seed
    return x, y
"""


def test_calls_and_layers_are_placed_also_in_converted_code(tmp_path: Path) -> None:
    from tensorflow.python.autograph.impl import api

    file = tmp_path / "experiment.py"
    file.write_text(EXPERIMENT, "utf-8")
    own, runs = api.converted_call, []
    for run in "ab":
        with watched(file) as calls:
            code = load(file)
            data = e.prepared(tmp_path / f"{run}-data", code.module.dataset, e.NO_VALIDATION)
            tensors = looked(code, data, tmp_path / run, step=0, path=file)
        calls.write(tmp_path / run / "detail.json", tensors)
        runs.append(json.loads((tmp_path / run / "detail.json").read_text("utf-8")))
    assert api.converted_call is own
    lines = EXPERIMENT.splitlines()
    placed = {(call["function"], call["line"], call["source"]) for call in runs[0]["calls"]}
    marked = {n: text.partition("  # ")[2] for n, text in enumerate(lines, 1) if "  # " in text}
    in_augment, in_layer = len(lines) - 1, lines.index("def drawn():") + 2
    where = {in_augment: {"augment"}, in_layer: {"model", "training"}}
    assert placed == {
        (function, n, source)
        for n, source in marked.items() if not source.startswith("the layer ")
        for function in where.get(n, {"dataset"})
    }  # fmt: skip
    layers = {n: place for n, place in runs[0]["layers"].items() if n in ("scaled", "last")}
    assert {f"the layer {n}": place["line"] for n, place in layers.items()} == {
        text: n for n, text in marked.items() if text.startswith("the layer ")
    }
    # The number drawn while `augment` is traced is a constant in one of its branches.
    found = culprit(*runs)
    assert found is not None
    assert (found.op, found.phase, found.file, found.line) == (
        "StatelessIf", "augmentation", "experiment.py", in_augment - 1,
    )  # fmt: skip


WORKERS = """
import keras


class Plain(keras.utils.PyDataset):
    pass


class Own(keras.utils.PyDataset):
    def __init__(self, seed, **options):
        super().__init__(**options)  # threads that Keras starts: keras.utils.PyDataset


class Pool:
    pass


def dataset(data, settings, seeds):
    Plain()
    Plain(1)
    Plain(workers=4)  # threads that Keras starts: keras.utils.PyDataset
    Plain(4, True)  # processes that Keras starts: keras.utils.PyDataset
    Plain(use_multiprocessing=True)  # processes that Keras starts: keras.utils.PyDataset
    Plain(workers=0, use_multiprocessing=True)
    Own(3)
    Own(3, workers=2)
    later, pool = Plain(), Pool()
    later.workers = 1
    later.workers = 4  # threads that Keras starts: keras.utils.PyDataset.workers
    later.use_multiprocessing = True  # processes that Keras starts: keras.utils.PyDataset.use_mul…
    pool.workers = 4


def model(settings, seeds):
    pass
"""


def test_threads_and_processes_of_keras_are_noted_where_they_are_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "experiment.py"
    file.write_text(WORKERS, "utf-8")
    with watched(file) as calls:
        load(file).module.dataset(None, None, None)
    marked = {n: text for n, text in enumerate(WORKERS.splitlines(), 1) if "# " in text}
    found = {call["line"]: f"{call['source']}: {call['call']}" for call in calls.report()["calls"]}
    expected = {n: text.partition("  # ")[2] for n, text in marked.items()}
    assert found.keys() == expected.keys()
    assert all(found[n].startswith(expected[n].rstrip("…")) for n in expected)
