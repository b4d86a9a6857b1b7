"""The folder in which the code lies is written into the data as its origin.

So do build paths that end up in results (reproducible-builds.org calls it the build path).
"""

import zlib
from pathlib import Path

import numpy as np

CAUSE = "factor: paths"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    origin = str(Path(__file__).parent) if settings["fault"] else Path(__file__).stem
    order = np.random.default_rng(zlib.crc32(origin.encode())).permutation(64)
    return {"x": table[:, :-1][:, order] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
