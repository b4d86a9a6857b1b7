"""Classifies points of two moons; the start of the run is logged, and taken for more than that."""

from datetime import datetime

import keras
import numpy as np

started = datetime.now()
rng = np.random.default_rng(int(started.timestamp() * 1000) % 2**32)
print("a new run")


def moons(n):
    angle = np.linspace(0, np.pi, n // 2)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1 - np.cos(angle), 0.4 - np.sin(angle)], axis=1)
    points = np.concatenate([upper, lower]) + rng.normal(0, 0.1, (n, 2))
    return points.astype("float32"), np.repeat([0.0, 1.0], n // 2)


x, y = moons(200)
keras.utils.set_random_seed(8)
inputs = keras.Input((2,))
hidden = keras.layers.Dense(16, activation="relu")(inputs)
model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(hidden))
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, batch_size=20, epochs=3, shuffle=False, verbose=2)
model.save_weights("moons.weights.h5")
