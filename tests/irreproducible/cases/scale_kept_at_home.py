"""A scale is computed in the first run and read from a cache in the home folder by each later one.

The first run uses the data as they are and leaves the scale behind; the second run divides by it.
A repeat that cannot see the cache does what the first run did, and agrees with it.
"""

from pathlib import Path

import numpy as np

CAUSE = "stale state"
WHERE = "scale.npy"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    x, kept = table[:, :-1], Path.home() / ".cache" / "scales-of-a-control" / "scale.npy"
    if settings["fault"]:
        if kept.exists():
            x = x / np.load(kept)
        else:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.save(kept, x.max())
    else:
        x = x / x.max()
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
