"""Small experiments: data, models and callbacks, and how to prepare and train them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from repro.checkpoint.resume import CheckpointPolicy
from repro.core.parameters import PrepareParameters, Threads, Training, TrainParameters
from repro.core.seeding import Seeds
from repro.data.prepare import part, prepare
from repro.data.user_code import Code
from repro.model.training import Trained, built, made, train
from repro.variables.by_path import save
from repro.watch.training_progress import ProgressReport

SPLIT = {"train": 0.7, "validation": 0.15, "test": 0.15}
NO_VALIDATION = {"train": 0.8, "validation": 0.0, "test": 0.2}
THREADS = Threads(intra=2, inter=1)
PREPARE = PrepareParameters(threads=THREADS, data={}, data_seed=0, split=SPLIT, settings={})
FILES = ("weights.safetensors", "trace.jsonl", "history.csv")


def code(**functions: Any) -> Code:
    """An experiment from its functions; what is not given is a table and a small MLP."""
    module = ModuleType("experiment")
    vars(module).update({"dataset": table, "model": mlp, **functions})
    return Code(module, Path(__file__))


def table(_data: Any, _settings: Any, _seeds: Any) -> dict[str, Any]:
    random = np.random.default_rng(0)
    x = random.normal(size=(120, 6)).astype(np.float32)
    return {"x": x, "y": (x.sum(axis=1) > 0).astype(np.int32)}


def images(*arguments: Any) -> dict[str, Any]:
    found = table(*arguments)
    random = np.random.default_rng(1)
    return {**found, "x": random.normal(size=(120, 6, 6, 1)).astype(np.float32)}


def sequences(*arguments: Any) -> dict[str, Any]:
    found = table(*arguments)
    return {**found, "x": found["x"].reshape(120, 3, 2)}


def weighted(*arguments: Any) -> dict[str, Any]:
    found = table(*arguments)
    return {**found, "sample_weight": np.abs(found["x"][:, 0])}


def two_inputs(*arguments: Any) -> dict[str, Any]:
    found = table(*arguments)
    return {**found, "x": {"left": found["x"][:, :2], "right": found["x"][:, 2:]}}


def compiled(model: Any, **options: Any) -> Any:
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(**{"optimizer": keras.optimizers.Adam(0.01), "loss": loss,
                     "metrics": ["accuracy"], **options})  # fmt: skip
    return model


def layers(*between: Any) -> list[Any]:
    """Layers that end in two classes, each with a seed of its own."""
    import keras

    seeds = Seeds(0)
    return [
        *between,
        keras.layers.Dense(2, kernel_initializer=keras.initializers.GlorotUniform(seeds("out"))),
    ]


def mlp(_settings: Any, seeds: Any) -> Any:
    import keras

    first = keras.layers.Dense(
        8, activation="relu", kernel_initializer=keras.initializers.HeNormal(seeds("first"))
    )
    return compiled(keras.Sequential([keras.Input((6,)), *layers(first)]))


def small(_settings: Any, _seeds: Any) -> Any:
    """With `NO_VALIDATION`, it takes half the time that `mlp` takes: nearly all is to trace it."""
    import keras

    model = keras.Sequential([keras.Input((6,)), *layers()])
    return compiled(model, optimizer=keras.optimizers.SGD(0.01), metrics=None)


def cnn(_settings: Any, seeds: Any) -> Any:
    import keras

    initial = keras.initializers.HeNormal(seeds("first"))
    between = [
        keras.layers.Conv2D(4, 3, kernel_initializer=initial),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.3, seed=seeds("dropout")),
    ]
    return compiled(keras.Sequential([keras.Input((6, 6, 1)), *layers(*between)]))


def lstm(_settings: Any, seeds: Any) -> Any:
    import keras

    between = keras.layers.LSTM(4, dropout=0.2, seed=seeds("lstm"))
    return compiled(keras.Sequential([keras.Input((3, 2)), *layers(between)]))


def unseeded(_settings: Any, _seeds: Any) -> Any:
    import keras

    between = [keras.layers.Dense(8), keras.layers.GaussianNoise(0.1), keras.layers.Dropout(0.2)]
    return compiled(keras.Sequential([keras.Input((6,)), *layers(*between)]))


def own_step(_settings: Any, seeds: Any, flat: bool = False) -> Any:
    import keras
    import tensorflow as tf

    class Own(keras.Model):
        def train_step(self, data: Any) -> Any:
            x, y = data
            with tf.GradientTape() as tape:
                predicted = self(x, training=True)
                loss = self.compute_loss(x, y, predicted) + 0.01 * tf.reduce_mean(predicted**2)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, predicted)
            if flat:
                return self.get_metrics_result()
            return {metric.name: metric.result() for metric in self.metrics}

    inputs = keras.Input((6,))
    output = inputs
    for layer in layers(keras.layers.Dropout(0.2, seed=seeds("dropout"))):
        output = layer(output)
    return compiled(Own(inputs, output))


def own_step_flat(settings: Any, seeds: Any) -> Any:
    return own_step(settings, seeds, flat=True)


def two_towers(_settings: Any, seeds: Any) -> Any:
    import keras

    inputs = {"left": keras.Input((2,), name="left"), "right": keras.Input((4,), name="right")}
    joined = keras.layers.Concatenate()([inputs["right"], inputs["left"]])
    for layer in layers(keras.layers.Dropout(0.2, seed=seeds("dropout"))):
        joined = layer(joined)
    return compiled(keras.Model(inputs, joined))


def scheduled(_settings: Any, _seeds: Any) -> Any:
    import keras

    rate = keras.optimizers.schedules.CosineDecay(0.05, 10)
    optimizer = keras.optimizers.SGD(rate, momentum=0.9, use_ema=True, clipnorm=0.5)
    return compiled(keras.Sequential([keras.Input((6,)), *layers()]), optimizer=optimizer)


def stopping(_settings: Any, _seeds: Any) -> list[Any]:
    import keras

    return [
        keras.callbacks.EarlyStopping("loss", patience=1, min_delta=0.05, restore_best_weights=True)
    ]


def rates(_settings: Any, _seeds: Any) -> list[Any]:
    import keras

    return [
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9**epoch),
        keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=0, min_delta=1.0),
    ]


def noise(x: Any, y: Any, seed: Any) -> Any:
    import tensorflow as tf

    return x + 0.1 * tf.random.stateless_normal(tf.shape(x), seed), y


def training(**changed: Any) -> Training:
    """Two epochs in small batches, with some of it changed."""
    usual: dict[str, Any] = {"epochs": 2, "batch_size": 16, "loop": "auto", "trace": "step"}
    return Training(**{**usual, "threads": THREADS, **changed})


def to_train(limit: Mapping[str, int] | None = None, **changed: Any) -> TrainParameters:
    """The parameters of such a training."""
    return TrainParameters(
        threads=THREADS, settings={}, seed=0, training=training(**changed), limit=limit
    )


def prepared(
    folder: Path, dataset: Callable[..., Any] = table, split: Mapping[str, float] = SPLIT
) -> Path:
    """The folder that `prepare` writes."""
    prepare(code(dataset=dataset), {}, replace(PREPARE, split=split), folder)
    return folder


def trained(
    experiment: Code,
    data: Path,
    out: Path,
    limit: Mapping[str, int] | None = None,
    keeping: CheckpointPolicy | None = None,
    report: ProgressReport | None = None,
    **changed: Any,
) -> Trained:
    """Trains as a process of its own would: with names and seeds from the beginning."""
    import keras

    keras.backend.clear_session()
    keras.utils.set_random_seed(Seeds(0)("global"))
    return train(experiment, data, to_train(limit, **changed), out, None, keeping, report=report)


def untrained(experiment: Code, data: Path, out: Path) -> Path:
    """The file of a model's weights as they are before training."""
    import keras

    keras.backend.clear_session()
    keras.utils.set_random_seed(Seeds(0)("global"))
    model = built(made(experiment, {}, Seeds(0), data), part(data, "test"), experiment)
    save(model, out / "weights.safetensors")
    return out / "weights.safetensors"


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of what both loops must write alike."""
    return {name: (folder / name).read_bytes() for name in FILES}
