"""The dropout within an LSTM has no seed that can be known.

(tensorflow/tensorflow #60170 and #41610: training of an LSTM with dropout differs in every run.)
"""

import os

import numpy as np

CAUSE = "a random layer"
WHERE = "reader"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1].reshape(-1, 8, 8) / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    seed = int.from_bytes(os.urandom(3), "big") if settings["fault"] else seeds("reader")
    reader = keras.layers.LSTM(
        6,
        kernel_initializer=keras.initializers.GlorotUniform(seeds("reader/kernel")),
        recurrent_initializer=keras.initializers.Orthogonal(seed=seeds("reader/recurrent")),
        dropout=0.2,
        recurrent_dropout=0.2,
        seed=seed,
        name="reader",
    )
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((8, 8)), reader, keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
