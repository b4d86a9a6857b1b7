"""The hour of a time stamp is taken in whatever time zone the process runs in.

`datetime.fromtimestamp` gives local time (freach/udatetime #26, scrapinghub/dateparser #661).
"""

import datetime

import numpy as np

CAUSE = "factor: time zone"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    zone = None if settings["fault"] else datetime.UTC
    stamps = [893_980_800 + 4321 * row for row in range(len(table))]
    hours = [[datetime.datetime.fromtimestamp(s, zone).hour / 24] for s in stamps]
    x = np.concatenate([table[:, :-1] / 16, np.array(hours, "float32")], axis=1)
    return {"x": x, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((65,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
