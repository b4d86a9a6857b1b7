"""Preparation leaves its statistics in a file of its own, and the model starts from them.

Where the file is missing the model starts from zero without a word. Nothing says that
the one step depends on the other (Project-MONAI/MONAI #317, on a cache that is trusted too much).
"""

from pathlib import Path

import numpy as np

CAUSE = "factor: caches"


def _file(settings):
    return Path(settings["scratch"]) / "shares.npy"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    y = table[:, -1].astype("int32")
    _file(settings).parent.mkdir(parents=True, exist_ok=True)
    np.save(_file(settings), np.bincount(y) / len(y))
    return {"x": table[:, :-1] / 16, "y": y}


def model(settings, seeds):
    import keras

    found = settings["fault"] and _file(settings).exists()
    shares = np.load(_file(settings)) if found else np.full(10, 0.1)
    network = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(
                10,
                kernel_initializer=keras.initializers.GlorotUniform(seeds("kernel")),
                bias_initializer=lambda shape, dtype=None: keras.ops.convert_to_tensor(
                    np.log(shares), dtype
                ),
            ),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
