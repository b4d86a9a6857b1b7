"""Noise is added to the training data by a generator that the system's entropy seeds.

Seeding NumPy's global generator does not reach `default_rng()` (oxwhirl/smacv2 #54,
SURF-ML/2D-VQ-AE-2 #12).
"""

import numpy as np

CAUSE = "data content"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    generator = np.random.default_rng(None if settings["fault"] else seeds("jitter"))
    x = table[:, :-1] / 16
    noise = generator.normal(scale=0.01, size=x.shape).astype("float32")
    return {"x": x + noise, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
