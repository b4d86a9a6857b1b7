"""A model's own `fit` takes the batches of each epoch in an order of its own, without a seed.

A sampler that shuffles with a generator of its own is not reached by any seed
(huggingface/diffusers #13712, meta-pytorch/data #519). The batches are the same ones.
"""

import itertools
import random

import keras
import numpy as np

CAUSE = "data order"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


class Reordering(keras.Sequential):
    order = None

    def fit(self, batches, steps_per_epoch=None, **options):
        batches = iter(batches)

        def reordered():
            while epoch := list(itertools.islice(batches, steps_per_epoch)):
                self.order.shuffle(epoch)
                yield from epoch

        return super().fit(reordered(), steps_per_epoch=steps_per_epoch, **options)


def model(settings, seeds):
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = Reordering([keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)])
    network.order = random.Random() if settings["fault"] else random.Random(seeds("order"))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
