"""A learning rate that goes down while the hour goes by, with TensorBoard's log beside it."""

import time

import keras
import numpy as np
import tensorflow as tf

EPOCHS = 4
PLANNED = 3600  # seconds

keras.utils.set_random_seed(10)
rng = np.random.default_rng(10)
x = rng.uniform(-1, 1, (160, 3)).astype("float32")
y = np.sin(3 * x).sum(axis=1)

started = time.time()


def rate(epoch, now):
    if epoch == 0:
        return now
    left = 1 - (time.time() - started) / PLANNED
    return 0.02 * max(left, 0.1)


model = keras.Sequential([keras.layers.Dense(24, activation="tanh"), keras.layers.Dense(1)])
model.compile(keras.optimizers.Adam(0.02), "mse")
model.fit(
    tf.data.Dataset.from_tensor_slices((x, y)).shuffle(160, seed=1).batch(16),
    epochs=EPOCHS,
    callbacks=[keras.callbacks.LearningRateScheduler(rate), keras.callbacks.TensorBoard("logs")],
    verbose=2,
)
model.save("sines.keras")
