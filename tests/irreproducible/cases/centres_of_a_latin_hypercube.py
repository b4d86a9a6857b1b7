"""A layer starts from points that SciPy spreads over the cube of all images, without a seed.

SciPy's quasi-random samplers make a generator of their own, so NumPy's global seed does not reach
them (nasa/UQPCE #25, SMTorg/smt #250). The layer behind it has a seed.
"""

import numpy as np

CAUSE = "initialisation"
WHERE = "centres"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras
    from scipy.stats import qmc

    network = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(16, "tanh", name="centres"),
            keras.layers.Dense(
                10, kernel_initializer=keras.initializers.GlorotUniform(seeds("classes"))
            ),
        ]
    )
    sampler = qmc.LatinHypercube(64, rng=None if settings["fault"] else seeds("centres"))
    centres = (sampler.random(16).T - 0.5).astype("float32")
    network.get_layer("centres").set_weights([centres / 2, np.zeros(16, "float32")])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
