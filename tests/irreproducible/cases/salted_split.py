"""Examples are told apart by a hash with a salt that is drawn again each time.

The test part should come from a hash of the id alone (scikit-learn/scikit-learn #31097).
"""

import hashlib
import os

import numpy as np

CAUSE = "data content"
WHERE = "system entropy"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    salt = os.urandom(8) if settings["fault"] else b"digits"
    ids = [hashlib.sha256(salt + row.tobytes()).hexdigest() for row in table]
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32"), "id": ids}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
