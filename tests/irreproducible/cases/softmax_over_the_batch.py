"""The softmax runs over the first axis: what one example gets depends on who shares its batch.

(A softmax or norm of one's own with `axis=0`, as where code for a single example is given batches.)
"""

import keras
import numpy as np

MISTAKE = "predictions that depend on the batch"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


class Probabilities(keras.layers.Layer):
    def __init__(self, axis, **options):
        super().__init__(**options)
        self.axis = axis

    def call(self, inputs):
        return keras.ops.softmax(inputs, axis=self.axis)


def model(settings, seeds):
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(10, kernel_initializer=kernel),
            Probabilities(0 if settings["fault"] else -1),
        ]
    )
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return network
