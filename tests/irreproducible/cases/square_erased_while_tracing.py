"""A layer erases a square of each image, and draws its corner by Python's `random` in `call`.

`call` runs while TensorFlow traces it, so one square is erased in every image of every step
(tensorflow/tensorflow #60848 on draws that become constants). Its twin draws in the graph.
"""

import random

import keras
import numpy as np

MISTAKE = "frozen noise"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1].reshape(-1, 8, 8) / 16, "y": table[:, -1].astype("int32")}


class Erase(keras.layers.Layer):
    def __init__(self, seed, in_python, **options):
        super().__init__(**options)
        self.seed = seed
        self.generator = None if in_python else keras.random.SeedGenerator(seed)

    def call(self, images, training=False):
        if not training:
            return images
        if self.generator is None:
            draws = random.Random(self.seed)
            corners = keras.ops.convert_to_tensor([[draws.randint(1, 4), draws.randint(1, 4)]])
        else:
            shape = (keras.ops.shape(images)[0], 2)
            corners = keras.random.randint(shape, 1, 5, seed=self.generator)
        corners = keras.ops.cast(corners, "int32")
        away = keras.ops.arange(8, dtype="int32")[None, None, :] - corners[:, :, None]
        inside = keras.ops.logical_and(away >= 0, away < 3)
        erased = keras.ops.logical_and(inside[:, 0, :, None], inside[:, 1, None, :])
        return images * keras.ops.cast(keras.ops.logical_not(erased), images.dtype)


def model(settings, seeds):
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [
            keras.Input((8, 8)),
            Erase(seeds("erase"), settings["fault"], name="erase"),
            keras.layers.Flatten(),
            keras.layers.Dense(10, kernel_initializer=kernel),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
