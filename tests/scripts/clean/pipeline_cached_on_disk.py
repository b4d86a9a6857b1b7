"""A slow preparation is done once, kept in a temporary folder while the training lasts."""

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(51)
rng = np.random.default_rng(51)
waves = rng.normal(size=(160, 64)).astype("float32")
loud = (np.abs(waves).mean(axis=1) > 0.8).astype("float32")


def spectrum(wave, label):
    return tf.math.log(1 + tf.abs(tf.signal.rfft(wave))), label


with tempfile.TemporaryDirectory() as folder:
    print("the cache is in", folder)
    data = tf.data.Dataset.from_tensor_slices((waves, loud)).map(spectrum)
    data = data.cache(str(Path(folder, "spectra"))).shuffle(160, seed=5).batch(16)
    model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(data, epochs=3, verbose=2)
model.save("loud.keras")
