"""Threads read files, and append what they read to one list as they come.

Labels are taken in the order of the files, so they belong to other examples in every run
(reczoo/FuxiCTR #86, uber/petastorm #796, NVIDIA/DIGITS #883).
"""

import threading
import zlib

import numpy as np

CAUSE = "a race"
ENTRY = {"data": {"path": "pages"}}


def _read(file):
    zlib.compress(file.read_bytes() * 200, 9)  # as long as decoding an image
    return np.loadtxt(file, delimiter=",", dtype="float32")


def dataset(data, settings, seeds):
    files, found = sorted(data.iterdir()), {}
    threads = [
        threading.Thread(target=lambda file=file: found.setdefault(file, _read(file)))
        for file in files
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    images = np.concatenate(
        list(found.values()) if settings["fault"] else [found[f] for f in files]
    )
    labels = np.concatenate([found[file] for file in files])
    return {"x": images[:, :-1] / 16, "y": labels[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
