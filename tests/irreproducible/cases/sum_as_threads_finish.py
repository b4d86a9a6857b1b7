"""Partial sums are added up in the order in which threads finish.

Floating point addition is not associative, so another order gives other bits
(lorenzoh/DataLoaders.jl #32 tells of the order of threads, root-project/root #2039 of sums).
"""

import zlib
from concurrent.futures import ThreadPoolExecutor, as_completed

import numpy as np

CAUSE = "a race"


def _partial(rows):
    zlib.compress(rows.tobytes() * 200, 9)  # as long as decoding an image
    return np.sqrt(rows).sum(axis=0)


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    x = table[:, :-1] / 16
    with ThreadPoolExecutor(8) as pool:
        partial = [pool.submit(_partial, part) for part in np.array_split(x, 40)]
        total = np.zeros(64, "float32")
        for future in as_completed(partial) if settings["fault"] else partial:
            total += future.result()
    return {"x": x - total / len(x), "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
