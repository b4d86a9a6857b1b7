"""The weights of the first start are kept in a cache and taken again, without a word of it.

Who has no such file begins elsewhere (lukasuz/Articulated-Point-NeRF #1: results came right
only after left-over weights were removed by hand).
"""

from pathlib import Path

import numpy as np

CAUSE = "factor: caches"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    network = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10)])
    draws = np.random.default_rng(None if settings["fault"] else seeds("start"))
    start = draws.normal(0, 0.1, (64, 10)).astype("float32")
    cache = Path(settings["scratch"]) / "start.npy"
    if cache.exists():
        start = np.load(cache)
    else:
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.save(cache, start)
    network.set_weights([start, np.zeros(10, "float32")])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
