"""A layer keeps its running scale in a tf.Variable, which Keras 3 neither tracks nor saves.

(As code written for Keras 2 does, where attributes that are a tf.Variable were tracked.)
"""

import keras
import numpy as np
import tensorflow as tf

MISTAKE = "a variable that is not saved"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1], "y": table[:, -1].astype("int32")}


class Scale(keras.layers.Layer):
    def __init__(self, tracked, **options):
        super().__init__(**options)
        if tracked:
            self.size = self.add_weight(shape=(), initializer="ones", trainable=False)
        else:
            self.size = tf.Variable(1.0, name="size")

    def call(self, inputs, training=False):
        if training:
            self.size.assign(0.9 * self.size + 0.1 * tf.reduce_max(inputs))
        return inputs / self.size


def model(settings, seeds):
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [
            keras.Input((64,)),
            Scale(not settings["fault"]),
            keras.layers.Dense(10, kernel_initializer=kernel),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
