"""A prediction is the mean over shifted views of an image, summed in the order of a set of names.

Nothing is drawn, and training and metrics are the same to the last bit: only the predictions are
rounded otherwise (dmlc/xgboost #6350: predictions summed in another sequence;
autogluon/tabarena #16: an ensemble that depends on the order of its members).
"""

import keras
import numpy as np
import tensorflow as tf

CAUSE = "factor: hash seed"
SHIFTS = {
    "as it is": (0, 0),
    "up": (-1, 0),
    "down": (1, 0),
    "left": (0, -1),
    "right": (0, 1),
    "up left": (-1, -1),
    "down right": (1, 1),
}


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


class Views(keras.Sequential):
    views = ()

    def predict_step(self, data):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        images = tf.reshape(x, (-1, 8, 8))
        total = tf.zeros((tf.shape(x)[0], 10), x.dtype)
        for name in self.views:
            shifted = tf.roll(images, SHIFTS[name], (1, 2))
            total += self(tf.reshape(shifted, (-1, 64)), training=False)
        return total / len(self.views)


def model(settings, seeds):
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = Views([keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)])
    names = set(SHIFTS)
    network.views = tuple(names if settings["fault"] else sorted(names))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
