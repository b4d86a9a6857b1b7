"""The age of a record, in years until today, is one of the features.

What counts from the present year is another thing in the next one
(replicahq/doppelganger #56, CodeForPhilly/benefit-decision-toolkit #72).
"""

import datetime

import numpy as np

CAUSE = "factor: clock"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    until = datetime.date.today().year if settings["fault"] else 2000
    written = 1980 + table[:, :1]
    x = np.concatenate([table[:, :-1] / 16, (until - written) / 100], axis=1)
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
