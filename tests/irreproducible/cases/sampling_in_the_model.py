"""A model's own `call` draws the noise of its latent code by NumPy, without a seed.

(keras-team/keras-io #790, tensorflow/tensorflow #36715: noise that is drawn elsewhere than
where the model runs.)
"""

import keras
import numpy as np
import tensorflow as tf

CAUSE = "forward pass"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


class Classifier(keras.Model):
    def __init__(self, start, noise):
        super().__init__(name="classifier")
        self.seeds = {"start": start, "noise": noise}
        draws = np.random.default_rng(noise)
        self.drawn = lambda shape: draws.normal(0, 0.3, shape).astype("float32")
        kernel = keras.initializers.HeNormal(start)
        self.code = keras.layers.Dense(8, kernel_initializer=kernel, name="code")
        self.classes = keras.layers.Dense(10, kernel_initializer="zeros", name="classes")

    def call(self, inputs, training=False):
        code = self.code(inputs)
        if training:
            noise = tf.numpy_function(self.drawn, [tf.shape(code)], tf.float32)
            code = code + tf.ensure_shape(noise, code.shape)
        return self.classes(code)

    def get_config(self):
        return self.seeds


def model(settings, seeds):
    network = Classifier(seeds("code"), None if settings["fault"] else seeds("noise"))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
