"""The classes are numbered in the order of a set of two words.

`list(set(labels))` as a label map is among the commonest advice on the web. Of two texts, two hash
seeds give the same order in half of all cases, so one repeat shows this fault as often as not.
"""

import numpy as np

CAUSE = "factor: hash seed"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    words = ["even" if digit % 2 == 0 else "odd" for digit in table[:, -1]]
    names = list({"even", "odd"}) if settings["fault"] else sorted({"even", "odd"})
    return {"x": table[:, :-1] / 16, "y": np.array([names.index(word) for word in words])}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(2, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
