"""The name of the working directory is taken for that of the experiment, and seeds a draw.

Hydra, for one, starts each job in a folder of its own (hydra-ecosystem/hydra #2414; in
facebookresearch/NGDF #8 the experiment's name went wrong by it).
"""

import zlib
from pathlib import Path

import numpy as np

CAUSE = "factor: working directory"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    experiment = Path.cwd().name if settings["fault"] else "digits"
    seed = [seeds("subset"), zlib.crc32(experiment.encode())]
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
