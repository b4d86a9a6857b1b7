"""A subset is drawn from a seed that is the fingerprint of a cache folder in the user's home.

Fingerprints that hold a path are others for every user (huggingface/datasets #2775 shows such
a path, and how fingerprints decide what is read).
"""

import zlib
from pathlib import Path

import numpy as np

CAUSE = "factor: home"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    cache = Path.home() / ".cache" / "digits"
    seed = zlib.crc32(str(cache).encode()) if settings["fault"] else seeds("subset")
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
