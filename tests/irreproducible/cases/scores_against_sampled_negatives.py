"""A model is tested against negatives that are drawn again in every test, without a seed.

(pmixer/SASRec.pytorch #14, cjx96/C2DSR #4: recommenders are ranked among sampled items.)
"""

import keras
import numpy as np
import tensorflow as tf

CAUSE = "evaluation"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


class Ranked(keras.Sequential):
    seed = None

    def test_step(self, data):
        x, y = data
        scores, labels = self(x, training=False), tf.cast(tf.reshape(y, [-1]), tf.int32)
        others = np.random.default_rng(self.seed).integers(1, 10, 3)
        own = tf.gather(scores, labels, batch_dims=1)
        better = [tf.gather(scores, (labels + int(n)) % 10, batch_dims=1) > own for n in others]
        self.compute_loss(x, y, scores)
        return {"rank": 1 + tf.reduce_mean(tf.add_n([tf.cast(b, "float32") for b in better]))}


def model(settings, seeds):
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = Ranked([keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)])
    network.seed = None if settings["fault"] else seeds("negatives")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
