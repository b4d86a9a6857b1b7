"""A file's place in the listing of its folder becomes its class.

`os.listdir` promises no order (pytorch/vision #192, Xilinx/finn-examples #14,
suhangpro/mvcnn #17: other systems gave other labels).
"""

import os

import numpy as np

CAUSE = "factor: listing order"
ENTRY = {"data": {"path": "pages"}}


def dataset(data, settings, seeds):
    names = os.listdir(data)  # noqa: PTH208 (as people do)
    if not settings["fault"]:
        names.sort()
    x, y = [], []
    for number, name in enumerate(names):
        rows = np.loadtxt(data / name, delimiter=",", dtype="float32")
        x.append(rows[:, :-1] / 16)
        y += [number] * len(rows)
    return {"x": np.concatenate(x), "y": np.array(y, "int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(20, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
