"""A callback adds noise to the weights between two epochs, to leave a narrow minimum.

(LBANN/lbann #1908, wandb/senpai #3228: weights are perturbed where the learning rate ends.)
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

    class Shake(keras.callbacks.Callback):
        draws = np.random.default_rng(None if settings["fault"] else seeds("shake"))

        def on_epoch_end(self, epoch, logs=None):
            weights = self.model.get_weights()
            self.model.set_weights([w + self.draws.normal(0, 1e-3, w.shape) for w in weights])

    return [Shake()]
