"""The learning rate falls with the time that has gone by, so it depends on the machine's load.

(alan-turing-institute/autocast #388: a schedule by the wall clock. Its twin reads the clock as
well, to tell how long an epoch took.)
"""

import time

import numpy as np

CAUSE = "update"
WHERE = "clock"


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

    began = time.monotonic()

    def rate(epoch, _):
        elapsed = time.monotonic() - began
        print(f"epoch {epoch} begins after {elapsed:.2f} s")
        return 0.01 / (1 + elapsed) if settings["fault"] else 0.01 / (1 + epoch)

    return [keras.callbacks.LearningRateScheduler(rate)]
