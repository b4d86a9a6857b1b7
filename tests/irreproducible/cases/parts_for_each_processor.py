"""A mean is summed in as many parts as there are processors.

Floating point addition is not associative: other parts give other bits (root-project/root
#2039: fits differed between machines with other numbers of cores; OSGeo/grass-addons #1311).
"""

import os

import numpy as np

CAUSE = "factor: processors"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    values = np.sqrt(table[:, :-1] / 16)
    workers = len(os.sched_getaffinity(0)) if settings["fault"] else 4
    sums = [part.sum(axis=0) for part in np.array_split(values, workers)]
    mean = sum(sums) / len(values)
    return {"x": values - mean, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
