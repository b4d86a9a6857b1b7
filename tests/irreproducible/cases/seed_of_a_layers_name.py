"""A layer's seed is Python's `hash` of its name.

The hash of a text is another one in every process (keras-team/keras-preprocessing #25,
AOSSIE-Org/EduAid #666 seeds by the hash of a text).
"""

import numpy as np

CAUSE = "factor: hash seed"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    seed = (hash("classes") ^ seeds("kernel")) % 2**31 if settings["fault"] else seeds("kernel")
    kernel = keras.initializers.GlorotUniform(seed)
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
