"""An initialiser's seed is drawn by `secrets`, since a linter forbids `random`.

(the-momentum/open-wearables #806 seeds a generator from os.urandom beside a seeded one;
ehsanhaghighat/sciann #53: the weights at the start are other ones in every run.)
"""

import secrets

import numpy as np

CAUSE = "initialisation"
WHERE = "hidden"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    seed = secrets.randbits(31) if settings["fault"] else seeds("hidden")
    network = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(
                16, "relu", kernel_initializer=keras.initializers.HeNormal(seed), name="hidden"
            ),
            keras.layers.Dense(
                10, kernel_initializer=keras.initializers.GlorotUniform(seeds("classes"))
            ),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
