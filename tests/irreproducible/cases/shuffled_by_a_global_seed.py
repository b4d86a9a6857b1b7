"""A model's own `fit` trains on arrays, which Keras shuffles by a global seed.

With one, every epoch has the same order (keras-team/keras #4950, tensorflow/tensorflow #13446).
Its twin does the same without arrays.
"""

import itertools

import keras
import numpy as np

MISTAKE = "one order for every epoch"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


class OnArrays(keras.Sequential):
    on_arrays = False

    def fit(self, batches, steps_per_epoch=None, shuffle=None, **options):
        if not self.on_arrays:
            return super().fit(batches, steps_per_epoch=steps_per_epoch, shuffle=False, **options)
        first = list(itertools.islice(batches, steps_per_epoch))
        x, y = (np.concatenate(column) for column in zip(*first, strict=True))
        return super().fit(x, y, batch_size=len(first[0][1]), shuffle=True, **options)


def model(settings, seeds):
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = OnArrays([keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)])
    network.on_arrays = settings["fault"]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
