"""A generator is seeded with the time, so that every run is another one.

(isl-org/Open3D-ML #254: `np.random.seed(x + int(time.time()))` in its data workers.)
"""

import time

import numpy as np

CAUSE = "data content"
WHERE = "clock"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    seed = time.time_ns() if settings["fault"] else seeds("subset")
    kept = np.random.default_rng(seed).permutation(len(table))[:160]
    return {"x": table[kept, :-1] / 16, "y": table[kept, -1].astype("int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
