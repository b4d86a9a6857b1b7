"""Words are put into buckets by Python's `hash`, which is another one in every process.

Keras' own `one_hot` and `hashing_trick` did so (keras-team/keras #6887,
keras-team/keras-preprocessing #25).
"""

import zlib

import numpy as np

CAUSE = "factor: hash seed"


def _bucket(word, fault):
    return (hash(word) if fault else zlib.crc32(word.encode())) % 32


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    x = np.zeros((len(table), 32), "float32")
    for row, values in enumerate(table[:, :-1]):
        for column in np.flatnonzero(values > 8):
            x[row, _bucket(f"bright-{column}", settings["fault"])] += 1
    return {"x": x, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((32,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
