"""Pairs of pixels are hashed into buckets by Python's `hash`, and what is missing is NaN.

Numbers hash alike in every process, so no PYTHONHASHSEED seems to matter; but since Python 3.10
the hash of NaN is that of its place in memory (numpy/numpy #21210 and #21971,
Quasars/orange-spectroscopy #703).
"""

import numpy as np

CAUSE = "data content"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    missing = np.nan if settings["fault"] else -1.0
    pixels = np.where(table[:, :-1] > 0, table[:, :-1], missing).tolist()
    x = np.zeros((len(table), 48), "float32")
    for row, values in enumerate(pixels):
        for column in range(0, 64, 2):
            x[row, hash((column, values[column], values[column + 1])) % 48] += 1
    return {"x": x, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((48,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
