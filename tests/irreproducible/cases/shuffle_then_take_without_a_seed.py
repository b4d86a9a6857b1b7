"""Everything of the model has a seed; the tf.data pipeline shuffles by a generator that has none.

The order is drawn once in a process, so the pipeline looks the same when it is read again. The
order alone would do no harm, for examples are put in that of their ids; but some are taken of it.
"""

import numpy as np
import tensorflow as tf

CAUSE = "data content"
WHERE = "default_rng"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    draws = np.random.default_rng(None if settings["fault"] else seeds("order"))
    rows = draws.permutation(len(table))

    def example(row):
        return row[:-1] / 16, tf.cast(row[-1], tf.int32)

    return tf.data.Dataset.from_tensor_slices(table[rows]).take(150).map(example)


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
