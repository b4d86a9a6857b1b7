"""Which of three classes does a measurement belong to? A small network on made-up data."""

import json
import random

import keras
import numpy as np
import tensorflow as tf


def make_data(n=240):
    rng = np.random.default_rng(11)
    y = rng.integers(0, 3, n)
    x = rng.normal(size=(n, 5)) + y[:, None] * [1.0, 0.5, 0.0, -0.5, 0.2]
    return x.astype("float32"), y


def build():
    inputs = keras.Input((5,))
    hidden = keras.layers.Dense(16, activation="relu")(inputs)
    outputs = keras.layers.Dense(3, activation="softmax")(hidden)
    return keras.Model(inputs, outputs)


def set_seeds(seed):
    random.seed(seed)
    np.random.seed(seed)
    tf.random.set_seed(seed)


def main():
    x, y = make_data()
    model = build()
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    set_seeds(1234)
    history = model.fit(x, y, batch_size=24, epochs=4, shuffle=False, verbose=0)
    model.save_weights("model.weights.h5")
    with open("history.json", "w") as file:
        json.dump(history.history, file, indent=2)
    print("final loss", history.history["loss"][-1])


if __name__ == "__main__":
    main()
