"""An optimizer adds noise to what it writes into the weights, without a seed.

(apache/mxnet #13696: the noise of the Langevin optimizer is not replicated without a seed;
tensorflow/addons #2469.)
"""

import os

import keras
import numpy as np
import tensorflow as tf

CAUSE = "update"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


class Langevin(keras.optimizers.SGD):
    def __init__(self, seed, **options):
        super().__init__(**options)
        self.draws = tf.random.Generator.from_seed(seed)

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient, variable, learning_rate)
        noise = self.draws.normal(tf.shape(gradient), stddev=1e-4)
        self.assign_add(variable, noise)


def model(settings, seeds):
    seed = int.from_bytes(os.urandom(4), "big") if settings["fault"] else seeds("langevin")
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(Langevin(seed, learning_rate=0.05), loss, metrics=["accuracy"])
    return network
