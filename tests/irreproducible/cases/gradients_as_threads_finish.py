"""Threads work out the gradient for parts of a batch, and add it to one array as they finish.

(facebookresearch/fastText #116 and torch/nn #790: training with several threads gives other
numbers in every run.) Its twin has the threads too, and adds in the order of the parts.
"""

import zlib
from concurrent.futures import ThreadPoolExecutor, as_completed

import keras
import numpy as np
import tensorflow as tf

CAUSE = "a race"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def _gradient(x, errors):
    zlib.compress(x.tobytes() * 400, 6)  # as long as a network's own work
    return x.T @ errors / 8


class Parallel(keras.Sequential):
    ordered = True

    def gathered(self, x, errors):
        total = np.zeros((64, 10), "float32")
        with ThreadPoolExecutor(8) as pool:
            parts = [pool.submit(_gradient, x[n::8], errors[n::8]) for n in range(8)]
            for part in parts if self.ordered else as_completed(parts):
                total += part.result()
        return total

    def train_step(self, data):
        x, y = data
        scores = self(x, training=True)
        errors = tf.nn.softmax(scores) - tf.one_hot(tf.cast(y, tf.int32), 10)
        total = tf.numpy_function(self.gathered, [x, errors], tf.float32)
        self.optimizer.apply([tf.ensure_shape(total, (64, 10))], self.trainable_variables)
        return {"loss": self.compute_loss(x, y, scores)}


def model(settings, seeds):
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    layer = keras.layers.Dense(10, use_bias=False, kernel_initializer=kernel)
    network = Parallel([keras.Input((64,)), layer])
    network.ordered = not settings["fault"]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
