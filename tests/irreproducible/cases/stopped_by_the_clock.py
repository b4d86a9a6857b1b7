"""Training stops after a time, so how many epochs there are depends on the machine and its load.

(keras-team/keras #1625, tensorflow/addons #757; FactoDeepLearning/DAN #6 asks how long the
published models were trained. Its twin looks at the clock and only tells.)
"""

import time

import numpy as np

CAUSE = "update"
WHERE = "clock"
ENTRY = {"training": {"epochs": 400}}


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

    class Stop(keras.callbacks.Callback):
        began = None

        def on_epoch_end(self, epoch, logs=None):
            self.began = self.began or time.monotonic()  # the first epoch is always long
            elapsed = time.monotonic() - self.began
            if settings["fault"] and elapsed > 1:
                self.model.stop_training = True
            elif not settings["fault"] and epoch == 20:
                print(f"{epoch} epochs took {elapsed:.2f} s")
                self.model.stop_training = True

    return [Stop()]
