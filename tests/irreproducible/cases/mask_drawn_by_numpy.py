"""A layer drops what a NumPy generator without a seed tells it to, called from the graph.

(harvard-edge/cs249r_book #1869: a dropout layer draws from NumPy beside the module's generator.)
"""

import keras
import numpy as np
import tensorflow as tf

CAUSE = "a random layer"
WHERE = "mask"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


class Mask(keras.layers.Layer):
    def __init__(self, seed, **options):
        super().__init__(**options)
        draws = np.random.default_rng(seed)
        self.drawn = lambda shape: (draws.random(shape) < 0.8).astype("float32")

    def call(self, inputs, training=False):
        if not training:
            return inputs
        mask = tf.numpy_function(self.drawn, [tf.shape(inputs)], tf.float32)
        return inputs * tf.ensure_shape(mask, inputs.shape)


def model(settings, seeds):
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [
            keras.Input((64,)),
            Mask(None if settings["fault"] else seeds("mask"), name="mask"),
            keras.layers.Dense(10, kernel_initializer=kernel),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
