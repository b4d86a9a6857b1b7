"""Threads work on parts of a batch, and each adds its share to a sum when it is done.

Floating-point numbers round otherwise in another order (rayon-rs/rayon #663,
PaddlePaddle/Paddle #12562). Its twin has the same threads, and adds in a fixed order.
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


def _share(pixels):
    zlib.compress(pixels.tobytes() * 400, 6)  # as long as a look-up in a large table
    return pixels.std(axis=1)


class Contrast(keras.layers.Layer):
    def __init__(self, ordered, **options):
        super().__init__(**options)
        self.ordered = ordered

    def added(self, images):
        total = np.zeros(len(images), "float32")
        with ThreadPoolExecutor(8) as pool:
            shares = [pool.submit(_share, part) for part in np.split(images, 16, axis=1)]
            for share in shares if self.ordered else as_completed(shares):
                total += share.result()
        return total[:, None]

    def call(self, inputs):
        total = tf.numpy_function(self.added, [tf.stop_gradient(inputs)], tf.float32)
        return tf.concat([inputs, tf.ensure_shape(total, (None, 1))], axis=1)


def model(settings, seeds):
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [
            keras.Input((64,)),
            Contrast(not settings["fault"], name="contrast"),
            keras.layers.Dense(10, kernel_initializer=kernel),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
