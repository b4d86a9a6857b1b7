"""The augmentation draws from a generator made from the system's entropy, not from its seed.

(keras-team/keras-cv #500: AugMix draws beside the seed; apple/turicreate #2892.)
"""

import os

import numpy as np

CAUSE = "augmentation"
WHERE = "system entropy"
DRAWS = []  # `augment` is given nothing but its seed


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras
    import tensorflow as tf

    seed = int.from_bytes(os.urandom(4), "big") if settings["fault"] else seeds("brightness")
    DRAWS[:] = [tf.random.Generator.from_seed(seed)]
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network


def augment(x, y, seed):
    import tensorflow as tf

    return x * DRAWS[0].uniform((tf.shape(x)[0], 1), 0.8, 1.2), y
