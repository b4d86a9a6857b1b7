"""A layer of one's own holds a generator of TensorFlow's, made from the system's entropy.

(snorkel-team/snorkel #777 and keras-team/keras-cv #500: parts that draw beside the seed.)
"""

import os

import keras
import numpy as np
import tensorflow as tf

CAUSE = "a random layer"
WHERE = "corruption"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


class Corruption(keras.layers.Layer):
    def __init__(self, seed, **options):
        super().__init__(**options)
        self.draws = tf.random.Generator.from_seed(seed)

    def call(self, inputs, training=False):
        if not training:
            return inputs
        return inputs * tf.cast(self.draws.uniform(tf.shape(inputs)) < 0.8, inputs.dtype)


def model(settings, seeds):
    seed = int.from_bytes(os.urandom(4), "big") if settings["fault"] else seeds("corruption")
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [
            keras.Input((64,)),
            Corruption(seed, name="corruption"),
            keras.layers.Dense(10, kernel_initializer=kernel),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
