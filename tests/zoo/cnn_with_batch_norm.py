"""A CNN with batch normalisation, augmentation, and a learning rate that falls."""

import numpy as np


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": (table[:, :-1] / 16).reshape(-1, 8, 8, 1), "y": table[:, -1].astype("int32")}


def augment(x, y, seed):
    import tensorflow as tf

    return x + tf.random.stateless_normal(tf.shape(x), seed, stddev=0.05), y


def model(settings, seeds):
    import keras

    def convolution(name):
        kernel = keras.initializers.HeNormal(seeds(name))
        return [
            keras.layers.Conv2D(8, 3, use_bias=False, kernel_initializer=kernel, name=name),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
        ]

    classes = keras.initializers.GlorotUniform(seeds("classes"))
    network = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            *convolution("first"),
            *convolution("second"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(10, kernel_initializer=classes),
        ]
    )
    rate = keras.optimizers.schedules.CosineDecay(0.01, 30)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    return network
