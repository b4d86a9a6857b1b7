"""The one thing that is drawn at the start has a number for its seed.

(FertigLab/pycogaps #59: runs without a seed all use 0.) Its twin begins with zeros, as a
linear model may, so its root seed rightly decides the order alone.
"""

import numpy as np

MISTAKE = "a seed that changes nothing"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    drawn = keras.initializers.RandomNormal(stddev=0.1, seed=1)
    kernel = drawn if settings["fault"] else keras.initializers.Zeros()
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
