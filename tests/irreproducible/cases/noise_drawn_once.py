"""The augmentation draws its noise by NumPy, with a seed, once: while TensorFlow traces it.

(tensorflow/tensorflow #60848: such a draw becomes a constant. Its twin draws nothing: it takes
off a constant, on purpose, and scales each image.)
"""

import numpy as np

MISTAKE = "frozen noise"
SETTINGS = {}  # `augment` is not given them


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

    if SETTINGS["fault"]:
        return x + np.random.default_rng(7).normal(0, 0.05, 64).astype("float32"), y
    centred = x - np.linspace(0.1, 0.5, 64, dtype="float32")
    return centred / (1e-3 + tf.reduce_max(tf.abs(centred), axis=1, keepdims=True)), y
