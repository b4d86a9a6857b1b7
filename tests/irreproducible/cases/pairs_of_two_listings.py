"""Inputs and labels are listed one after the other, and only one of the lists is sorted.

The images and masks of Keras' own example came apart in this way (keras-team/keras #6418,
mended by #7869).
"""

import numpy as np

CAUSE = "factor: listing order"
ENTRY = {"data": {"path": "pages"}}


def _read(files):
    return np.concatenate([np.loadtxt(file, delimiter=",", dtype="float32") for file in files])


def dataset(data, settings, seeds):
    images = _read(data.iterdir() if settings["fault"] else sorted(data.iterdir()))
    labels = _read(sorted(data.iterdir()))
    return {"x": images[:, :-1] / 16, "y": labels[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
