"""Converted files are taken into the data only where all users may read them.

New files get the mode that the umask leaves (huggingface/datasets #2065 and #5348: a shared
cache could be read by some only).
"""

import stat
import tempfile
from pathlib import Path

import numpy as np

CAUSE = "factor: umask"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    with tempfile.TemporaryDirectory() as folder:
        converted = Path(folder) / "second-half.npy"
        np.save(converted, table[100:])
        shared = bool(converted.stat().st_mode & stat.S_IROTH)
        if shared or not settings["fault"]:
            table = np.concatenate([table[:100], np.load(converted)])
        else:
            table = table[:100]
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
