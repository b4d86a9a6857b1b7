"""Only TensorFlow's own seed is set, but weights are drawn by a generator of NumPy's.

`tf.random.set_seed` reaches neither Python's `random` nor NumPy, and no global seed reaches
`default_rng()`. Its twin sets no other seed either, and draws from the global generators alone:
those the workflow seeds by itself.
"""

import numpy as np

CAUSE = "initialisation"
WHERE = "default_rng"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras
    import tensorflow as tf

    tf.random.set_seed(7)
    draws = np.random.default_rng() if settings["fault"] else np.random
    network = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(16, "relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10),
        ]
    )
    network.layers[0].kernel.assign(draws.normal(0, 0.1, (64, 16)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
