"""The number of environment variables goes into a seed, as one more thing that varies.

That the size of the environment changes what a program does is known from measurements of
speed (Mytkowicz et al., Producing Wrong Data Without Doing Anything Obviously Wrong!, ASPLOS 2009).
"""

import os

import numpy as np

CAUSE = "factor: environment size"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    seed = [seeds("subset"), len(os.environ) if settings["fault"] else 0]
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
