"""The weights are set by hand, from a generator whose seed is the run's name, a fresh UUID.

(DiffSharp/DiffSharp #330 and mostly-ai/mostlyai-engine #121: identifiers do not follow the seed.)
"""

import uuid
import zlib

import numpy as np

CAUSE = "initialisation"
WHERE = "system entropy"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    run = uuid.uuid4().hex if settings["fault"] else f"digits-{seeds('run')}"
    network = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10)], name="linear")
    draws = np.random.default_rng(zlib.crc32(run.encode()))
    network.set_weights([draws.normal(0, 0.1, weight.shape) for weight in network.get_weights()])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
