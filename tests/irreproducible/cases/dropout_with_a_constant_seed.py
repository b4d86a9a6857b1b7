"""A layer hands `keras.random.dropout` a number for its seed, so the mask never changes.

(PaddlePaddle/Paddle #7796: dropout always uses the same seed. Its twin has a SeedGenerator.)
"""

import keras
import numpy as np

MISTAKE = "frozen noise"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


class Forget(keras.layers.Layer):
    def __init__(self, seed, constant, **options):
        super().__init__(**options)
        self.seed = seed if constant else keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        return keras.random.dropout(inputs, 0.3, seed=self.seed) if training else inputs


def model(settings, seeds):
    network = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(
                16, "relu", kernel_initializer=keras.initializers.HeNormal(seeds("hidden"))
            ),
            Forget(seeds("forget"), settings["fault"], name="forget"),
            keras.layers.Dense(
                10, kernel_initializer=keras.initializers.GlorotUniform(seeds("classes"))
            ),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
