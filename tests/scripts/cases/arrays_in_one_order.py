"""The simplest thing: seeds are set, and arrays are given to `fit`."""

import keras
import numpy as np

keras.utils.set_random_seed(3)

rng = np.random.default_rng(3)
x = rng.uniform(-2, 2, (240, 2)).astype("float32")
y = (np.hypot(x[:, 0], x[:, 1]) < 1.2).astype("float32")

model = keras.Sequential([
    keras.layers.Dense(16, activation="tanh"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=5, batch_size=24, verbose=2)
model.save("circle.keras")
