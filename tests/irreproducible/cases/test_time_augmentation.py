"""Predictions are means over shifted copies of each image, and the shifts have no seed.

(VforVitorio/F1-StratLab #735: what is sampled at inference has no seed, and the published numbers
move.)
"""

import keras
import numpy as np
import tensorflow as tf

CAUSE = "evaluation"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


class Averaging(keras.Sequential):
    seed = None

    def predict_step(self, data):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        draws = np.random.default_rng(self.seed)
        shifts = [int(draws.integers(1, 64)) for _ in range(4)]
        return tf.add_n([self(tf.roll(x, shift, axis=1), training=False) for shift in shifts]) / 4


def model(settings, seeds):
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = Averaging([keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)])
    network.seed = None if settings["fault"] else seeds("shifts")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
