"""Trains a base on half of the digits, saves it, and refines its head on the other half."""

import json
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

DEFAULTS = {"rate": 0.01, "units": 24}


def settings():
    file = Path.home() / ".config" / "digits.json"
    return {**DEFAULTS, **(json.loads(file.read_text()) if file.exists() else {})}


def part(x, y, chosen):
    return tf.data.Dataset.from_tensor_slices((x[chosen], y[chosen])).batch(20)


table = np.loadtxt("digits.csv", delimiter=",", dtype="float32")
x, y = table[:, :-1] / 16, table[:, -1].astype("int64")
options = settings()

keras.utils.set_random_seed(15)
base = keras.Sequential([
    keras.Input((64,)),
    keras.layers.Dense(options["units"], activation="relu", name="features"),
    keras.layers.Dense(5, activation="softmax"),
])
base.compile("adam", "sparse_categorical_crossentropy")
base.fit(part(x, y, y < 5), epochs=2, verbose=2)
base.save("base.keras")

loaded = keras.models.load_model("base.keras")
features = keras.Model(loaded.inputs, loaded.get_layer("features").output)
features.trainable = False
head = keras.Sequential([features, keras.layers.Dense(5, activation="softmax")])
head.compile(keras.optimizers.Adam(options["rate"]), "sparse_categorical_crossentropy", metrics=["accuracy"])
head.fit(part(x, y - 5, y >= 5), epochs=2, verbose=2)
head.save("refined.keras")
