"""Early stopping, a rate that is lowered, and a log of each epoch with how long it took."""

import time

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(52)
rng = np.random.default_rng(52)
x = rng.normal(size=(200, 4)).astype("float32")
y = (x @ [1, -2, 0.5, 0]).astype("float32")


class Timing(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        print(f"epoch {epoch + 1} took {time.perf_counter() - self.began:.2f}s")


train = tf.data.Dataset.from_tensor_slices((x[:160], y[:160])).shuffle(160, seed=1).batch(16)
model = keras.Sequential([keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])
model.compile(keras.optimizers.Adam(0.1), "mse")
model.fit(
    train,
    validation_data=(x[160:], y[160:]),
    epochs=8,
    callbacks=[
        Timing(),
        keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True),
        keras.callbacks.ReduceLROnPlateau(patience=1),
        keras.callbacks.CSVLogger("log.csv"),
    ],
    verbose=0,
)
model.save_weights("best.weights.h5")
