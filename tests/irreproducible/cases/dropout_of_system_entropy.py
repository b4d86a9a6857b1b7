"""A dropout layer takes its seed from the system's entropy.

(NVIDIA/framework-reproducibility #15: the layer's own seed is a source that is forgotten.)
"""

import os

import numpy as np

CAUSE = "a random layer"
WHERE = "forget"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    seed = int.from_bytes(os.urandom(3), "big") if settings["fault"] else seeds("forget")
    network = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(
                16, "relu", kernel_initializer=keras.initializers.HeNormal(seeds("hidden"))
            ),
            keras.layers.Dropout(0.3, seed=seed, name="forget"),
            keras.layers.Dense(
                10, kernel_initializer=keras.initializers.GlorotUniform(seeds("classes"))
            ),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
