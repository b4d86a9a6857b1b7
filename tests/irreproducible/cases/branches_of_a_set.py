"""The branches of a model are made in the order of a set of their names.

(google-research/flood-forecasting #305: layers made over a set of names draw other weights.)
"""

import numpy as np

CAUSE = "factor: hash seed"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    names = {"edges", "corners", "strokes", "loops", "holes", "slants", "dots", "bars"}
    pixels = keras.Input((64,))
    branches = [
        keras.layers.Dense(
            4, "relu", kernel_initializer=keras.initializers.HeNormal(seeds(name)), name=name
        )(pixels)
        for name in (names if settings["fault"] else sorted(names))
    ]
    kernel = keras.initializers.GlorotUniform(seeds("classes"))
    classes = keras.layers.Dense(10, kernel_initializer=kernel)
    network = keras.Model(pixels, classes(keras.layers.Concatenate()(branches)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
