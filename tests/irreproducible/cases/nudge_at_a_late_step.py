"""A callback shakes one weight by a ten-millionth, once, late in training.

(LBANN/lbann #1908: a callback that perturbs weights.) Nothing shows in the metrics.
"""

import numpy as np

CAUSE = "update"


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

    class Nudge(keras.callbacks.Callback):
        seen = 0

        def on_train_batch_end(self, batch, logs=None):
            self.seen += 1
            if self.seen == 25:
                draws = np.random.default_rng(None if settings["fault"] else seeds("nudge"))
                kernel = self.model.layers[-1].kernel
                change = np.zeros(kernel.shape, "float32")
                change[20, 3] = draws.uniform(1e-7, 1e-6)
                kernel.assign_add(change)

    return [Nudge()]
