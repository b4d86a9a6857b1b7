"""Classes are balanced by copies of their examples before the split, and each copy has a new id.

Copies of what is trained on are tested on (scikit-learn-contrib/imbalanced-learn #751,
georgymh/ml-fraud-detection #1). Its twin leaves the ids to the content.
"""

import numpy as np

MISTAKE = "overlapping splits"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    draws = np.random.default_rng(seeds("copies"))
    classes = [np.flatnonzero(table[:, -1] == digit) for digit in range(10)]
    rows = np.concatenate([np.concatenate([rows, draws.choice(rows, 5)]) for rows in classes])
    examples = {"x": table[rows, :-1] / 16, "y": table[rows, -1].astype("int32")}
    return {**examples, "id": np.arange(len(rows))} if settings["fault"] else examples


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
