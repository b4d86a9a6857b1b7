"""Examples are dealt into folds by the hash of an object that defines none.

Then the hash is the object's address in memory, and no PYTHONHASHSEED holds it
(xbrlus/xule #50, ASPP/pelita #703).
"""

import zlib

import numpy as np

CAUSE = "data content"


class Record:
    def __init__(self, row):
        self.row = row


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    records = [Record(row) for row in table]
    marks = [hash(r) if settings["fault"] else zlib.crc32(r.row.tobytes()) for r in records]
    kept = np.array([r.row for r, mark in zip(records, marks, strict=True) if mark % 1009 < 800])
    return {"x": kept[:, :-1] / 16, "y": kept[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
