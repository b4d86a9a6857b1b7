"""Threads jitter the images side by side, and all draw from one generator, which has a seed.

What each image gets depends on which thread asks first, though results come back in order
(tensorflow/tensorflow #34909: a generator shared in a parallel map; fizyr/keras-retinanet #1085).
Its twin has the threads too, and a generator for each image.
"""

import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np

CAUSE = "a race"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    x = table[:, :-1] / 16
    seed = seeds("jitter")
    shared = np.random.default_rng(seed)

    def jittered(number):
        zlib.compress(x[number].tobytes() * 1000, 6)  # as long as decoding an image
        draws = shared if settings["fault"] else np.random.default_rng([seed, number])
        return x[number] + draws.normal(0, 0.02, 64)

    with ThreadPoolExecutor(8) as pool:
        x = np.array(list(pool.map(jittered, range(len(x)))), "float32")
    return {"x": x, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
