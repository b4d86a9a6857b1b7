"""Digits by a tf.data pipeline; every layer has its seed, the pipeline has none."""

import keras
import numpy as np
import tensorflow as tf


def dense(units, seed, **options):
    start = keras.initializers.HeNormal(seed=seed)
    return keras.layers.Dense(units, kernel_initializer=start, **options)


table = np.loadtxt("digits.csv", delimiter=",", dtype="float32")
x, y = table[:, :-1] / 16, table[:, -1].astype("int64")
train = (
    tf.data.Dataset.from_tensor_slices((x, y))
    .shuffle(
        len(x),  # all of them
    )
    .batch(20)
    .prefetch(tf.data.AUTOTUNE)
)

model = keras.Sequential([dense(32, 1, activation="relu"), dense(10, 2, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train, epochs=3, verbose=2)
model.save("digits.keras")
