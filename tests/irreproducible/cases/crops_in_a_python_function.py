"""Images are shifted by a Python function, with draws that no seed of TensorFlow's reaches.

(albumentations-team/albumentations #906 and #93, keras-team/keras #1940: a library of
augmentations draws from a generator of its own.)
"""

import numpy as np

CAUSE = "augmentation"
WHERE = "generator without a seed"
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


def _shifted(images, seed):
    draws = np.random.default_rng(None if SETTINGS["fault"] else np.abs(seed))
    images = images.reshape(-1, 8, 8)
    return np.stack([np.roll(i, draws.integers(-1, 2), axis=1) for i in images]).reshape(-1, 64)


def augment(x, y, seed):
    import tensorflow as tf

    return tf.ensure_shape(tf.numpy_function(_shifted, [x, seed], x.dtype), x.shape), y
