"""After four of six epochs connections are cut at random, layer by layer, over a set of names.

The generator has a seed, but which layer draws first follows PYTHONHASHSEED, and nothing shows
for eighty steps (google-research/flood-forecasting #305: draws in the order of a set).
"""

import numpy as np

CAUSE = "factor: hash seed"
ENTRY = {"training": {"epochs": 6}}
BRANCHES = {"edges", "corners", "strokes", "loops", "holes", "slants", "dots", "bars"}


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    pixels = keras.Input((64,))
    branches = [
        keras.layers.Dense(
            4, "relu", kernel_initializer=keras.initializers.HeNormal(seeds(name)), name=name
        )(pixels)
        for name in sorted(BRANCHES)
    ]
    kernel = keras.initializers.GlorotUniform(seeds("classes"))
    classes = keras.layers.Dense(10, kernel_initializer=kernel)
    network = keras.Model(pixels, classes(keras.layers.Concatenate()(branches)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network


def callbacks(settings, seeds):
    import keras

    class Prune(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch != 3:
                return
            draws = np.random.default_rng(seeds("pruning"))
            for name in BRANCHES if settings["fault"] else sorted(BRANCHES):
                layer = self.model.get_layer(name)
                kernel, bias = layer.get_weights()
                layer.set_weights([kernel * (draws.random(kernel.shape) < 0.7), bias])

    return [Prune()]
