"""The global generator is seeded from the configuration, where the key is missing.

`random.seed(None)` is no error: it seeds again from the system, and undoes the seed that was set
before (fnss/fnss #11 and PMEAL/OpenPNM #818: a seed of None made it impossible to repeat
anything; CyberPoint/libpgm #17). Keras draws the seeds of its initialisers from that generator.
"""

import random

import numpy as np

CAUSE = "initialisation"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    random.seed(settings.get("seed") if settings["fault"] else seeds("everything"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(10)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
