"""Batches are kept in memory after they were shuffled, so each epoch has the order of the first.

(sql-machine-learning/sqlflow #2143: every epoch is the same. Its twin hands the batches on.)
"""

import keras
import numpy as np

MISTAKE = "one order for every epoch"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


class Caching(keras.Sequential):
    caching = False

    def fit(self, batches, steps_per_epoch=None, epochs=1, **options):
        def again():
            kept = [next(batches) for _ in range(steps_per_epoch)]
            for _ in range(epochs):
                yield from kept

        batches = iter(batches)
        stream = again() if self.caching else batches
        return super().fit(stream, steps_per_epoch=steps_per_epoch, epochs=epochs, **options)


def model(settings, seeds):
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = Caching([keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)])
    network.caching = settings["fault"]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
