"""A metric looks at some of the examples only, and draws them without a seed.

(huggingface/datasets #404: metrics that are not deterministic; awslabs/sockeye #39 gives the
subset that is looked at a generator of its own.)
"""

import keras
import numpy as np
import tensorflow as tf

CAUSE = "evaluation"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


class SampledAccuracy(keras.metrics.Mean):
    def __init__(self, seed):
        super().__init__(name="sampled_accuracy")
        self.draws = np.random.default_rng(seed)

    def update_state(self, labels, scores, sample_weight=None):
        right = tf.equal(tf.argmax(scores, 1), tf.cast(tf.reshape(labels, [-1]), tf.int64))
        drawn = tf.numpy_function(
            lambda count: self.draws.random(count), [tf.shape(scores)[:1]], tf.float64
        )
        looked_at = tf.cast(tf.ensure_shape(drawn, (None,)) < 0.5, "float32")
        super().update_state(tf.cast(right, "float32"), looked_at)


def model(settings, seeds):
    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    metric = SampledAccuracy(None if settings["fault"] else seeds("sample"))
    network.compile("adam", loss, metrics=[metric])
    return network
