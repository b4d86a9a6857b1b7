"""An initialiser of one's own draws from NumPy, which takes its seed from the system.

(CederGroupHub/smol #197: every `default_rng()` of the library was made without a seed;
ayrna/skordinal #56: two trainings began with other weights.)
"""

import numpy as np

CAUSE = "initialisation"
WHERE = "classes"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    draws = np.random.default_rng(None if settings["fault"] else seeds("classes"))

    def small(shape, dtype=None):
        return draws.normal(0, 0.05, shape).astype(dtype or "float32")

    hidden = keras.initializers.HeNormal(seeds("hidden"))
    network = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(16, "relu", kernel_initializer=hidden),
            keras.layers.Dense(10, kernel_initializer=small, name="classes"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
