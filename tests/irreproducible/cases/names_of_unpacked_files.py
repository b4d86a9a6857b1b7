"""Data is unpacked into the temporary folder, and each file's noise is seeded by its full name.

Full names differ as soon as the temporary folder does, as it does from job to job on a
cluster (ge-xing/SegMamba #43 and fastai/fastai #2006: what is drawn depends on where files lie).
"""

import tempfile
import zlib
from pathlib import Path

import numpy as np

CAUSE = "factor: temporary folder"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    x = table[:, :-1] / 16
    for part in range(4):
        name = Path(tempfile.gettempdir()) / "digits" / f"part-{part}.npy"
        label = str(name) if settings["fault"] else name.name
        noise = np.random.default_rng([seeds("noise"), zlib.crc32(label.encode())])
        x[part * 50 : part * 50 + 50] += noise.normal(scale=0.01, size=(50, 64))
    return {"x": x, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
