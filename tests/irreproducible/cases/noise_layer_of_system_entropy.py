"""A layer that adds noise to its input gets its seed from `random.SystemRandom`.

(tensorlayer/TensorLayer #130: the noise layer had no seed at all; its twin has one, and
normalises by constants beside it.)
"""

import random

import numpy as np

CAUSE = "a random layer"
WHERE = "grain"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    seed = random.SystemRandom().getrandbits(31) if settings["fault"] else seeds("grain")
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Rescaling(2.0, -1.0),
            keras.layers.GaussianNoise(0.1, seed=seed, name="grain"),
            keras.layers.Dense(10, kernel_initializer=kernel),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
