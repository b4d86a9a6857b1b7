"""Dropout stays on at inference, to tell how sure the model is, and draws beside the seed.

(VforVitorio/F1-StratLab #735; tensorflow/tensorflow #44614 on dropout with training=True.)
"""

import os

import keras
import numpy as np
import tensorflow as tf

CAUSE = "evaluation"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


class Sampling(keras.Sequential):
    draws = None

    def predict_step(self, data):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        kept = [tf.cast(self.draws.uniform(tf.shape(x)) < 0.8, x.dtype) for _ in range(4)]
        return tf.add_n([self(x * mask, training=False) for mask in kept]) / 4


def model(settings, seeds):
    seed = int.from_bytes(os.urandom(4), "big") if settings["fault"] else seeds("masks")
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = Sampling([keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)])
    network.draws = tf.random.Generator.from_seed(seed)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
