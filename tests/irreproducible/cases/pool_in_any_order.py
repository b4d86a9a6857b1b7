"""A pool hands results back in the order in which they are ready, and their place is a feature.

(TheAlgorithms/Python #2253 asks whether `imap_unordered` keeps lists consistent;
s-goldman/Dusty-Evolved-Star-Kit #110: the files were not in order.)
"""

import zlib
from multiprocessing.pool import ThreadPool

import numpy as np

CAUSE = "a race"
ENTRY = {"data": {"path": "pages"}}


def _read(file):
    zlib.compress(file.read_bytes() * 200, 9)  # as long as decoding an image
    return np.loadtxt(file, delimiter=",", dtype="float32")


def dataset(data, settings, seeds):
    with ThreadPool(8) as pool:
        mapped = pool.imap_unordered if settings["fault"] else pool.imap
        pages = list(mapped(_read, sorted(data.iterdir())))
    table = np.concatenate(pages)
    place = np.arange(len(table), dtype="float32")[:, None] / len(table)
    x = np.concatenate([table[:, :-1] / 16, place], axis=1)
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
