"""A training step of one's own adds noise to the gradients, without a seed.

(snorkel-team/snorkel #777 gives such a model's draws a seed; tensorflow/tensorflow #15156: runs
part during backpropagation.)
"""

import keras
import numpy as np
import tensorflow as tf

CAUSE = "gradient"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


class Noisy(keras.Sequential):
    seed = None

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        draws = np.random.default_rng(self.seed)
        noisy = []
        for gradient in tape.gradient(loss, self.trainable_variables):
            drawn = tf.numpy_function(
                lambda shape: draws.normal(0, 0.01, shape).astype("float32"),
                [tf.shape(gradient)],
                tf.float32,
            )
            noisy.append(gradient + tf.ensure_shape(drawn, gradient.shape))
        self.optimizer.apply(noisy, self.trainable_variables)
        return {"loss": loss}


def model(settings, seeds):
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = Noisy([keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)])
    network.seed = None if settings["fault"] else seeds("gradients")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
