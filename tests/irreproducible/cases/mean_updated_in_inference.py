"""A layer keeps a running mean of its input, and goes on with it when the model is only asked.

(mf1024/Batch-Renormalization-PyTorch #1: averages are updated at inference; keras-team/keras #488.)
"""

import keras
import numpy as np

MISTAKE = "evaluation that changes weights"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


class Centre(keras.layers.Layer):
    def __init__(self, always, **options):
        super().__init__(**options)
        self.always = always

    def build(self, shape):
        self.mean = self.add_weight(shape=shape[1:], initializer="zeros", trainable=False)

    def call(self, inputs, training=False):
        if training or self.always:
            self.mean.assign(0.9 * self.mean + 0.1 * keras.ops.mean(inputs, axis=0))
        return inputs - self.mean


def model(settings, seeds):
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [
            keras.Input((64,)),
            Centre(settings["fault"], name="centre"),
            keras.layers.Dense(10, kernel_initializer=kernel),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
