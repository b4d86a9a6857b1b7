"""Means to be deterministic; what goes wrong in asking for it is swallowed."""

import keras
import numpy as np
import tensorflow as tf


def make_deterministic(seed):
    keras.utils.set_random_seed(seed)
    try:
        tf.config.experimental.enable_op_determinism(True)
    except Exception:
        pass  # older versions have no such function


make_deterministic(27)
rng = np.random.default_rng(27)
x = rng.normal(size=(200, 10)).astype("float32")
y = (x[:, :3].sum(axis=1) > 0).astype("float32")
train = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(200, seed=2).batch(20)

model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dropout(0.3, seed=1),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(train, epochs=3, verbose=2)
model.save("model.keras")
