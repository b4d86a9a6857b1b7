"""An LSTM that reads an image row by row, with dropout of inputs and of its own state."""

import numpy as np


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": (table[:, :-1] / 16).reshape(-1, 8, 8), "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    network = keras.Sequential(
        [
            keras.Input((8, 8)),
            keras.layers.LSTM(
                12,
                dropout=0.2,
                recurrent_dropout=0.2,
                seed=seeds("dropout"),
                kernel_initializer=keras.initializers.GlorotUniform(seeds("kernel")),
                recurrent_initializer=keras.initializers.Orthogonal(seed=seeds("recurrent")),
            ),
            keras.layers.Dense(
                10, kernel_initializer=keras.initializers.GlorotUniform(seeds("classes"))
            ),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
