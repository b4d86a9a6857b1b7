"""A classifier of spirals that logs to a new TensorBoard folder every time."""

import time

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(8)


def spirals(n, rng):
    turn = np.sqrt(rng.uniform(0, 1, n)) * 3
    side = rng.integers(0, 2, n)
    angle = turn + np.pi * side
    points = np.stack([turn * np.cos(angle), turn * np.sin(angle)], axis=1)
    return points.astype("float32"), side.astype("float32")


x, y = spirals(320, np.random.default_rng(8))
held_out, kept = slice(0, 64), slice(64, None)

train = tf.data.Dataset.from_tensor_slices((x[kept], y[kept])).shuffle(256, seed=8).batch(32)
logdir = f"runs/{time.strftime('%Y-%m-%d_%H-%M-%S')}"

model = keras.Sequential([
    keras.layers.Dense(24, activation="tanh"),
    keras.layers.Dense(24, activation="tanh"),
    keras.layers.Dense(1),
])
model.compile(
    keras.optimizers.Adam(0.01), keras.losses.BinaryCrossentropy(from_logits=True), metrics=["accuracy"]
)
model.fit(
    train,
    validation_data=(x[held_out], y[held_out]),
    epochs=4,
    verbose=2,
    callbacks=[keras.callbacks.TensorBoard(logdir, histogram_freq=1)],
)
