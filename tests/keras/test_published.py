"""Programs as Keras' guides and users publish them, wrapped in functions: their way to a result."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import experiments as e
import numpy as np
import pytest
from repro.core.parameters import EvaluateParameters
from repro.data.prepare import part
from repro.data.prepared import Prepared
from repro.model.evaluation import evaluate

SPLIT = {"train": 0.8, "validation": 0.1, "test": 0.1}


def metrics(folder: Path, epochs: int, **functions: Any) -> dict[str, float]:
    """Prepares, trains and evaluates; returns the metrics on the test part."""
    from dataclasses import replace

    from repro.data.prepare import prepare

    experiment = e.code(**functions)
    data = folder / "data"
    prepare(experiment, {}, replace(e.PREPARE, split=SPLIT), data)
    e.trained(experiment, data, folder, epochs=epochs)
    asked = EvaluateParameters(threads=e.THREADS, settings={}, seed=0, batch_size=16)
    assert evaluate(experiment, data, folder / "weights.safetensors", asked, folder).same
    found: dict[str, float] = json.loads((folder / "metrics.json").read_text())["metrics"]
    return found


def digits(size: int, seed: int) -> tuple[Any, Any]:
    """Grey images as `load_data` returns them: uint8, one bright quarter for each class."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 4, size).astype(np.uint8)
    x = random.integers(0, 60, (size, 8, 8)).astype(np.uint8)
    for row, label in enumerate(y):
        top, left = divmod(int(label), 2)
        x[row, 4 * top : 4 * top + 4, 4 * left : 4 * left + 4] += 150
    return x, y


def test_images_with_a_fixed_test_part(tmp_path: Path) -> None:
    """A small convolutional network on a benchmark that comes in two parts."""

    def dataset(_data: Any, _settings: Any, _seeds: Any) -> Any:
        (x_train, y_train), (x_test, y_test) = digits(160, 1), digits(40, 2)
        x_train = np.expand_dims(x_train.astype("float32") / 255, -1)
        x_test = np.expand_dims(x_test.astype("float32") / 255, -1)
        return (x_train, y_train), (x_test, y_test)

    def model(_settings: Any, seeds: Any, prepared: Any) -> Any:
        import keras

        network = keras.Sequential(
            [
                keras.Input(prepared.shapes["x"]),
                keras.layers.Conv2D(8, 3, activation="relu"),
                keras.layers.MaxPooling2D(),
                keras.layers.Flatten(),
                keras.layers.Dropout(0.2, seed=seeds("dropout")),
                keras.layers.Dense(len(prepared.class_counts["y"]), activation="softmax"),
            ]
        )
        optimizer, loss = keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy"
        network.compile(optimizer, loss, metrics=["accuracy"])
        return network

    found = metrics(tmp_path, 6, dataset=dataset, model=model)
    assert found["accuracy"] > 0.8
    assert len(part(tmp_path / "data", "test")["id"]) == 40


def test_text_with_a_vocabulary_of_the_training_part(tmp_path: Path) -> None:
    """Reviews as text in objects, a TextVectorization adapted, an Embedding."""
    random = np.random.default_rng(0)
    good, bad = ["fine", "great", "loved"], ["dull", "awful", "boring"]
    y = random.integers(0, 2, 120)
    texts = [" ".join(random.choice(good if label else bad, 5)) + f" film {n}" for n, label in
             enumerate(y)]  # fmt: skip

    def dataset(_data: Any, _settings: Any, _seeds: Any) -> Any:
        return np.array(texts, dtype=object), y

    def fit_preprocessing(train: Any, _settings: Any, _seeds: Any) -> Any:
        import keras

        vectorize = keras.layers.TextVectorization(max_tokens=20, output_sequence_length=8)
        vectorize.adapt(train["x"])
        return {"x": vectorize}

    def model(_settings: Any, _seeds: Any, prepared: Any) -> Any:
        import keras

        words = len(prepared.fitted["x"]["vocabulary"])
        network = keras.Sequential(
            [
                keras.Input(prepared.shapes["x"], dtype="int64"),
                keras.layers.Embedding(words, 8),
                keras.layers.GlobalAveragePooling1D(),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )
        network.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
        return network

    found = metrics(tmp_path, 6, dataset=dataset, fit_preprocessing=fit_preprocessing, model=model)
    assert found["accuracy"] > 0.9
    words = np.load(tmp_path / "data/fitted/x.vocabulary.npy").tolist()
    assert {"fine", "dull", "film"} < set(words)
    assert part(tmp_path / "data", "test")["x"].shape[1:] == (8,)
    numbers = {text.split()[-1] for text in texts} & set(words)
    assert all(f" {number}" in " ".join(texts) for number in numbers)


def test_features_by_name_with_layers_adapted(tmp_path: Path) -> None:
    """Structured data: a mapping of columns, Normalization and StringLookup, one each."""
    random = np.random.default_rng(0)
    age, kind = random.normal(50, 10, 160), random.choice(["a", "b", "c"], 160)
    y = ((age > 50) ^ (kind == "a")).astype("float32")

    def dataset(_data: Any, _settings: Any, _seeds: Any) -> Any:
        import tensorflow as tf

        columns = {"age": age.astype("float32"), "kind": kind}
        return tf.data.Dataset.from_tensor_slices((columns, y)).batch(32)

    def fit_preprocessing(train: Any, _settings: Any, _seeds: Any) -> Any:
        import keras

        normalize = keras.layers.Normalization(axis=None)
        normalize.adapt(train["x"]["age"])
        lookup = keras.layers.StringLookup(output_mode="one_hot")
        lookup.adapt(train["x"]["kind"])
        return {"x": {"age": normalize, "kind": lookup}}

    def model(_settings: Any, _seeds: Any, prepared: Any) -> Any:
        import keras

        age = keras.Input((1,), name="age")
        kind = keras.Input(prepared.shapes["x"]["kind"], name="kind")
        hidden = keras.layers.Dense(16, "relu")(keras.layers.Concatenate()([age, kind]))
        output = keras.layers.Dense(1, "sigmoid")(hidden)
        network = keras.Model({"age": age, "kind": kind}, output)
        network.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
        return network

    found = metrics(tmp_path, 10, dataset=dataset, fit_preprocessing=fit_preprocessing, model=model)
    assert found["accuracy"] > 0.7
    prepared = Prepared.of(tmp_path / "data")
    assert prepared.fitted["x"]["age"]["mean"] == pytest.approx(50, abs=5)
    assert set(prepared.fitted["x"]["kind"]["vocabulary"]) == {"[UNK]", "a", "b", "c"}


def test_a_frame_with_a_scaler(tmp_path: Path) -> None:
    """A table of pandas and a scaler of scikit-learn, as for imbalanced classes."""
    pd: Any = pytest.importorskip("pandas")
    preprocessing: Any = pytest.importorskip("sklearn.preprocessing")
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(7, 3, (200, 3)), columns=["V1", "V2", "amount (EUR)"])
    frame["class"] = (frame["V1"] + frame["V2"] > 15).astype(int)

    def dataset(_data: Any, _settings: Any, _seeds: Any) -> Any:
        return frame.drop(columns="class"), frame["class"]

    def fit_preprocessing(train: Any, _settings: Any, _seeds: Any) -> Any:
        assert list(train["x"].columns) == ["V1", "V2", "amount (EUR)"]
        return {"x": preprocessing.StandardScaler().fit(train["x"])}

    def model(_settings: Any, _seeds: Any, prepared: Any) -> Any:
        import keras

        counts = prepared.class_counts["y"]
        bias = keras.initializers.Constant(np.log(counts[1] / counts[0]))
        network = keras.Sequential(
            [
                keras.Input((len(prepared.columns["x"]),)),
                keras.layers.Dense(8, "relu"),
                keras.layers.Dense(1, "sigmoid", bias_initializer=bias),
            ]
        )
        network.compile(keras.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"])
        return network

    found = metrics(tmp_path, 10, dataset=dataset, fit_preprocessing=fit_preprocessing, model=model)
    assert found["accuracy"] > 0.7
    assert json.loads((tmp_path / "data/columns.json").read_text()) == {
        "x": ["V1", "V2", "amount (EUR)"]
    }
    assert abs(part(tmp_path / "data", "train")["x"].mean()) < 1e-5
    assert Prepared.of(tmp_path / "data").fitted["x"]["mean_"].shape == (3,)


def vae_model() -> Callable[..., Any]:
    """A variational autoencoder that trains and tests by steps of its own."""

    def model(_settings: Any, _seeds: Any) -> Any:
        import keras
        import tensorflow as tf
        from keras import layers, ops

        class Sampling(layers.Layer):
            def __init__(self, **named: Any) -> None:
                super().__init__(**named)
                self.seed_generator = keras.random.SeedGenerator(1337)

            def call(self, inputs: Any) -> Any:
                mean, log_variance = inputs
                noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
                return mean + ops.exp(0.5 * log_variance) * noise

        class VAE(keras.Model):
            def __init__(self, **named: Any) -> None:
                super().__init__(**named)
                inputs = keras.Input((8, 8))
                hidden = layers.Dense(16, "relu")(layers.Flatten()(inputs))
                mean, log_variance = layers.Dense(2)(hidden), layers.Dense(2)(hidden)
                z = Sampling()([mean, log_variance])
                self.encoder = keras.Model(inputs, [mean, log_variance, z])
                latent = keras.Input((2,))
                pixels = layers.Dense(64, "sigmoid")(layers.Dense(16, "relu")(latent))
                self.decoder = keras.Model(latent, layers.Reshape((8, 8))(pixels))
                self.total = keras.metrics.Mean(name="loss")

            @property
            def metrics(self) -> list[Any]:
                return [self.total]

            def call(self, x: Any) -> Any:
                return self.decoder(self.encoder(x)[0])

            def distance(self, x: Any) -> Any:
                mean, log_variance, z = self.encoder(x)
                error = ops.sum(keras.losses.binary_crossentropy(x, self.decoder(z)), axis=1)
                divergence = -0.5 * (1 + log_variance - ops.square(mean) - ops.exp(log_variance))
                return ops.mean(error) + ops.mean(ops.sum(divergence, axis=1))

            def train_step(self, data: Any) -> Any:
                with tf.GradientTape() as tape:
                    loss = self.distance(data)
                gradients = tape.gradient(loss, self.trainable_weights)
                self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
                self.total.update_state(loss)
                return {"loss": self.total.result()}

            def test_step(self, data: Any) -> Any:
                self.total.update_state(self.distance(data))
                return {"loss": self.total.result()}

            def get_config(self) -> dict[str, Any]:
                return {}

        network = VAE()
        network.compile(optimizer=keras.optimizers.Adam(0.01))
        return network

    return model


def test_an_autoencoder_of_inputs_alone(tmp_path: Path) -> None:
    def dataset(_data: Any, _settings: Any, _seeds: Any) -> Any:
        (x_train, _), (x_test, _) = digits(160, 1), digits(40, 2)
        return np.concatenate([x_train, x_test]).astype("float32") / 255

    found = metrics(tmp_path, 8, dataset=dataset, model=vae_model())
    rows = list(csv.DictReader((tmp_path / "history.csv").open(newline="")))
    after_one = float(rows[0]["val_loss"])
    assert found["loss"] < after_one
    assert float(rows[-1]["val_loss"]) < after_one
    assert set(part(tmp_path / "data", "train")) == {"id", "x"}
