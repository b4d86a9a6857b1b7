"""Learns to take noise off signals; the noise is made batch by batch."""

import keras
import numpy as np

keras.utils.set_random_seed(44)
SIZE, BATCH = 32, 16
phases = np.random.default_rng(44).uniform(0, 2 * np.pi, 320)
signals = np.sin(np.linspace(0, 6, SIZE) + phases[:, None]).astype("float32")


def with_noise(batch):
    rng = np.random.default_rng(0)
    return batch + rng.normal(0, 0.3, batch.shape).astype("float32")


model = keras.Sequential([
    keras.layers.Dense(24, activation="relu"),
    keras.layers.Dense(SIZE),
])
model.compile(keras.optimizers.Adam(0.003), "mse")
order = np.random.default_rng(45)
for epoch in range(4):
    rows = order.permutation(len(signals))
    for start in range(0, len(rows), BATCH):
        batch = signals[rows[start : start + BATCH]]
        loss = model.train_on_batch(with_noise(batch), batch)
    print(f"epoch {epoch}: {loss:.5f}")
model.save_weights("denoise.weights.h5")
