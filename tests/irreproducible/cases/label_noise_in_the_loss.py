"""The loss smooths each label by an amount that it draws from a generator without a seed.

(divamgupta/stable-diffusion-tensorflow #27, keras-team/keras-cv #962: noise beside the seed.)
"""

import os

import numpy as np

CAUSE = "forward pass"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras
    import tensorflow as tf

    seed = int.from_bytes(os.urandom(4), "big") if settings["fault"] else seeds("smoothing")
    draws = tf.random.Generator.from_seed(seed)

    def smoothed(labels, scores):
        labels = tf.one_hot(tf.cast(tf.reshape(labels, [-1]), tf.int32), 10)
        amount = draws.uniform((tf.shape(labels)[0], 1), 0.0, 0.2)
        return keras.losses.categorical_crossentropy(
            labels * (1 - amount) + amount / 10, scores, from_logits=True
        )

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    network.compile("adam", smoothed)
    return network
