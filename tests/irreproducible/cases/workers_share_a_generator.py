"""Threads that Keras starts make batches side by side, and all draw from one generator with a seed.

What each batch gets depends on which worker asks first, though batches come back in order: a
`PyDataset` with `workers` (keras-team/keras #23283 is a race of such workers).
Its twin has the workers too, and a generator for each batch.
"""

import itertools
import zlib

import keras
import numpy as np

CAUSE = "a race"
WHERE = "keras.utils.PyDataset"
ENTRY = {"training": {"epochs": 1}}


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


class Noisy(keras.utils.PyDataset):
    def __init__(self, batches, seed, shared, **options):
        super().__init__(**options)
        self.batches, self.seed = batches, seed
        self.draws = np.random.default_rng(seed) if shared else None

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, number):
        x, *rest = self.batches[number]
        zlib.compress(x.tobytes() * 400, 6)  # as long as decoding images
        draws = self.draws or np.random.default_rng([self.seed, number])
        return (x + draws.normal(0, 0.02, x.shape).astype("float32"), *rest)


class Fed(keras.Sequential):
    noisy = None

    def fit(self, batches, steps_per_epoch=None, **options):
        whole = list(itertools.islice(batches, steps_per_epoch))
        return super().fit(self.noisy(whole), **options)


def model(settings, seeds):
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = Fed([keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)])
    seed, shared = seeds("noise"), settings["fault"]
    network.noisy = lambda batches: Noisy(batches, seed, shared, workers=4)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
