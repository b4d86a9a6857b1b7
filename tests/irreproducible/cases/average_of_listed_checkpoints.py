"""The weights of all epochs are averaged at the end, in the order in which files are listed.

Sums round otherwise in another order (jiupinjia/rocket-recycling #1, automl/neps #19:
checkpoints are taken as `glob` lists them).
"""

import tempfile
from pathlib import Path

import numpy as np

CAUSE = "factor: listing order"
ENTRY = {"training": {"epochs": 6}}


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network


def callbacks(settings, seeds):
    import keras

    class Average(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.folder = tempfile.TemporaryDirectory()

        def on_epoch_end(self, epoch, logs=None):
            np.savez(Path(self.folder.name) / f"epoch-{epoch}.npz", *self.model.get_weights())

        def on_train_end(self, logs=None):
            files = list(Path(self.folder.name).iterdir())
            total = [np.zeros_like(weight) for weight in self.model.get_weights()]
            for file in files if settings["fault"] else sorted(files):
                for weight, saved in zip(total, np.load(file).values(), strict=True):
                    weight += saved
            self.model.set_weights([weight / np.float32(len(files)) for weight in total])
            self.folder.cleanup()

    return [Average()]
