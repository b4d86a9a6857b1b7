"""The learning rate is scaled by the number of workers, which is that of the processors.

(intel/ipex-llm #4705: batches are as large as there are cores; PWhiddy/PokemonRedExperiments #52.)
"""

import os

import numpy as np

CAUSE = "factor: processors"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    workers = len(os.sched_getaffinity(0)) if settings["fault"] else 4
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.SGD(0.01 * workers), loss, metrics=["accuracy"])
    return network
