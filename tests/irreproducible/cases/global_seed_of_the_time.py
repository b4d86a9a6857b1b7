"""All global seeds are set again, from the time, before the model is made.

(remzi-arpacidusseau/ostep-homework #81, DUNE/larnd-sim #63: the time is the default seed.
Its twin reads the clock as well, to tell how long the making took.)
"""

import time

import numpy as np

CAUSE = "initialisation"
WHERE = "clock"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    began = time.time_ns()
    keras.utils.set_random_seed(began % 2**31 if settings["fault"] else seeds("everything"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(10)]
    )
    print(f"made in {time.time_ns() - began} ns")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
