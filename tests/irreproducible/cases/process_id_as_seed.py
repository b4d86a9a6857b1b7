"""A generator is seeded with the id of the process, so that workers draw differently.

They do, and every run does (isl-org/Open3D-ML #254 did so with the time; uma-pi1/kge #100
weighs the ways to seed workers).
"""

import os

import numpy as np

CAUSE = "data content"
WHERE = "process id"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    seed = os.getpid() if settings["fault"] else seeds("subset")
    kept = np.random.default_rng(seed).permutation(len(table))[:160]
    return {"x": table[kept, :-1] / 16, "y": table[kept, -1].astype("int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
