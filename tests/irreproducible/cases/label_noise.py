"""Some labels are changed on purpose, by Python's generator without a seed.

Which generator draws is far from the place where seeds are set (sparkfish/augraphy #29).
"""

import random

import numpy as np

CAUSE = "data content"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    generator = random.Random() if settings["fault"] else random.Random(seeds("labels"))
    y = table[:, -1].astype("int32")
    for row in range(len(y)):
        if generator.random() < 0.1:
            y[row] = generator.randrange(10)
    return {"x": table[:, :-1] / 16, "y": y}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
