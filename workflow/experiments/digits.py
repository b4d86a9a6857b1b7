"""Handwritten digits, 8×8 grey values: a small CNN with augmentation and dropout.

Data: the test set of "Optical Recognition of Handwritten Digits" (E. Alpaydin and
C. Kaynak, 1998, UCI Machine Learning Repository, CC BY 4.0), 1,797 images by 13
writers, in the copy that scikit-learn ships (BSD-3-Clause). The copy does not say who
wrote which digit, so the split cannot keep writers apart: the test accuracy speaks of
known hands, not of new ones.
"""

import numpy as np


def dataset(data, settings, seeds):
    """Each line: 64 grey values from 0 to 16, then the digit."""
    table = np.loadtxt(data, delimiter=",", dtype=np.float32)
    return {
        "x": (table[:, :-1] / 16).reshape(-1, 8, 8, 1),
        "y": table[:, -1].astype(np.int32),
    }


def augment(x, y, seed):
    """Shifts the whole batch's images by up to one pixel, each image by its own amount."""
    import tensorflow as tf

    count = tf.shape(x)[0]
    shift = tf.random.stateless_uniform((count, 2), seed, 0, 3, tf.int32)
    rows = shift[:, :1] + tf.range(8)[None, :]
    columns = shift[:, 1:] + tf.range(8)[None, :]
    padded = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
    padded = tf.gather(padded, rows, batch_dims=1, axis=1)
    return tf.gather(padded, columns, batch_dims=1, axis=2), y


def model(settings, seeds):
    """Two convolutions, dropout, ten classes."""
    import keras

    def initial(name):
        return keras.initializers.GlorotUniform(seed=seeds(name))

    def convolution(name):
        return keras.layers.Conv2D(
            settings["filters"], 3, padding="same", activation="relu",
            kernel_initializer=initial(name), name=name,
        )  # fmt: skip

    network = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            convolution("first"),
            convolution("second"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dropout(settings["dropout"], seed=seeds("dropout")),
            keras.layers.Dense(10, kernel_initializer=initial("classes"), name="classes"),
        ]
    )
    network.compile(
        optimizer=keras.optimizers.Adam(2e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return network
