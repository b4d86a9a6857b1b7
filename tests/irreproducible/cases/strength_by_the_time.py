"""The noise is made weaker as time goes by, read from the clock while TensorFlow traces it.

(alan-turing-institute/autocast #388 anneals by the wall clock. Its twin reads the clock to tell
when it was traced.)
"""

import time

import numpy as np

CAUSE = "augmentation"
WHERE = "clock"
SETTINGS = {}  # `augment` is not given them
BEGAN = time.perf_counter()


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    SETTINGS.update(settings)
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network


def augment(x, y, seed):
    import tensorflow as tf

    elapsed = time.perf_counter() - BEGAN
    print(f"traced {elapsed:.1f} s after the start")
    strength = 0.1 / (1 + elapsed) if SETTINGS["fault"] else 0.05
    return x + tf.random.stateless_normal(tf.shape(x), seed, stddev=strength), y
