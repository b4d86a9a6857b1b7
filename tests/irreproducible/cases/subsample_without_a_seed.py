"""A subset is drawn by a generator of its own that nobody seeded.

A seed given for the whole program does not reach it (lyst/lightfm #599,
logicalclocks/feature-store-api #22).
"""

import numpy as np

CAUSE = "data content"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    generator = np.random.RandomState(None if settings["fault"] else seeds("subset") % 2**32)
    table = table[generator.permutation(len(table))[:160]]
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
