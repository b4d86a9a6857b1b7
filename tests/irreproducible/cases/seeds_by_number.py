"""Every layer has a number for its seed, so several root seeds give one and the same start.

(seqan/seqan #2452: the option is ignored, a number is used; Nerogar/OneTrainer #1719.)
"""

import numpy as np

MISTAKE = "a seed that changes nothing"
ENTRY = {"seeds": [0, 1]}


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    def seed(name):
        return 42 if settings["fault"] else seeds(name)

    network = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(
                16, "relu", kernel_initializer=keras.initializers.HeNormal(seed("hidden"))
            ),
            keras.layers.Dropout(0.3, seed=seed("forget")),
            keras.layers.Dense(
                10, kernel_initializer=keras.initializers.GlorotUniform(seed("classes"))
            ),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
