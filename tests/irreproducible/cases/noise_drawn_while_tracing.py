"""The augmentation draws its noise by NumPy, without a seed, while TensorFlow traces it.

(tensorflow/tensorflow #60848: what NumPy draws there becomes a constant of the graph.)
"""

import numpy as np

CAUSE = "augmentation"
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
        return x + np.random.default_rng().normal(0, 0.05, 64).astype("float32"), y
    return x + tf.random.stateless_normal(tf.shape(x), seed, stddev=0.05), y
