"""The seed is today's date, so a run can be reproduced, but only until midnight.

(red/red #3252 and the-momentum/open-wearables #806: seeds, or what they lead to, follow the date.)
"""

import datetime

import numpy as np

CAUSE = "factor: clock"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    today = datetime.date.today() if settings["fault"] else datetime.date(2024, 2, 29)
    seed = int(f"{today:%Y%m%d}") ^ seeds("kernel")
    kernel = keras.initializers.GlorotUniform(seed)
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
