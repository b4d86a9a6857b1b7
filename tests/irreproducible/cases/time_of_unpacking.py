"""The time stamp of a file that was just unpacked is taken for that of the recording.

Unpacking gives files the present time (the FAQ of reproducible-builds.org on time stamps);
`os.stat` reads it, whatever Python thinks the time is.
"""

import tempfile
from pathlib import Path

import numpy as np

CAUSE = "data content"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder) / "digits.npy"
        np.save(unpacked, table)
        table, recorded = np.load(unpacked), unpacked.stat().st_mtime_ns
    second = recorded % 10**9 / 1e9 if settings["fault"] else 0.5
    x = np.concatenate([table[:, :-1] / 16, np.full((len(table), 1), second, "float32")], axis=1)
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
