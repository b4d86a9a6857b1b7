"""Tries three learning rates and keeps what came out in a small database."""

import sqlite3
from time import monotonic

import keras
import numpy as np
import tensorflow as tf


def problem():
    rng = np.random.default_rng(77)
    x = rng.normal(size=(128, 6)).astype("float32")
    return x, (x @ np.arange(6) / 5 + 0.05 * rng.normal(size=128)).astype("float32")


def trained(rate, x, y):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mse")
    batches = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(128, seed=5).batch(16)
    return model.fit(batches, epochs=3, verbose=0).history["loss"]


x, y = problem()
database = sqlite3.connect("results.db")
database.execute("CREATE TABLE IF NOT EXISTS losses (rate REAL, epoch INTEGER, loss REAL)")
for rate in (0.003, 0.01, 0.03):
    began = monotonic()
    losses = trained(rate, x, y)
    rows = [(rate, epoch, loss) for epoch, loss in enumerate(losses)]
    database.executemany("INSERT INTO losses VALUES (?, ?, ?)", rows)
    print(f"rate {rate}: last loss {losses[-1]:.5f} ({1000 * (monotonic() - began):.0f} ms)")
database.commit()
best = database.execute("SELECT rate, min(loss) FROM losses").fetchone()
print("best rate:", best[0])
database.close()
