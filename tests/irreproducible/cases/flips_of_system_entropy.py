"""Images are flipped and turned by layers; one of them has a seed, the other has the system's.

(keras-team/keras-cv #500: an image layer does not respect the seed.)
"""

import secrets

import numpy as np

CAUSE = "a random layer"
WHERE = "turn"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    images = table[:, :-1].reshape(-1, 8, 8, 1) / 16
    return {"x": images, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    seed = secrets.randbelow(2**31) if settings["fault"] else seeds("turn")
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.RandomFlip("horizontal", seed=seeds("flip"), name="flip"),
            keras.layers.RandomRotation(0.05, seed=seed, name="turn"),
            keras.layers.Flatten(),
            keras.layers.Dense(10, kernel_initializer=kernel),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
