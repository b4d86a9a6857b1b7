"""Fits a curve and draws it with matplotlib, as PNG and as PDF."""

import keras
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(1)
rng = np.random.default_rng(1)
x = np.sort(rng.uniform(-3, 3, 120)).astype("float32")[:, None]
y = (np.sin(x) + rng.normal(0, 0.1, x.shape)).astype("float32")

model = keras.Sequential([keras.layers.Dense(20, activation="tanh"), keras.layers.Dense(1)])
model.compile(keras.optimizers.Adam(0.02), "mse")
data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(120, seed=1).batch(20)
history = model.fit(data, epochs=5, verbose=0)

figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3))
left.scatter(x, y, s=6)
left.plot(x, model.predict(x, verbose=0), color="tab:red")
right.plot(history.history["loss"], marker="o")
right.set_xlabel("epoch")
figure.tight_layout()
figure.savefig("fit.png", dpi=80)
figure.savefig("fit.pdf")
