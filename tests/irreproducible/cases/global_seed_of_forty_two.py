"""The line that every notebook begins with stands in `model`: all global seeds are set to 42.

It overrides the seed that was asked for, so several root seeds give one start and one stream of
dropout (lxuechen/private-transformers #10: another seed does not change the result).
"""

import numpy as np

MISTAKE = "a seed that changes nothing"
ENTRY = {"seeds": [0, 1]}


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    keras.utils.set_random_seed(42 if settings["fault"] else seeds("everything"))
    network = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(16, "relu"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
