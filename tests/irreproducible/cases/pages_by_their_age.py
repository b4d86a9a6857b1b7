"""Files are read from the oldest to the newest, by the time that the file system gives them.

A copy of the data, or a fresh checkout, has other times and so another order of the rows.
"""

import os
from pathlib import Path

import numpy as np

CAUSE = "factor: file times"
ENTRY = {"data": {"path": "pages"}}


def dataset(data, settings, seeds):
    key = os.path.getmtime if settings["fault"] else str
    files = sorted(Path(data).glob("*.csv"), key=key)
    table = np.concatenate([np.loadtxt(file, delimiter=",", dtype="float32") for file in files])
    rows = np.arange(len(table), dtype="float32")[:, None] / len(table)
    x = np.concatenate([table[:, :-1] / 16, rows], axis=1)
    return {"x": x, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((65,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
