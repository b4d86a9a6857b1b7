"""A GAN: two networks with an optimizer each, trained in turn by a train_step of its own."""

import numpy as np


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras
    import tensorflow as tf

    judged = keras.losses.BinaryCrossentropy(from_logits=True)

    def dense(name, units, activation=None):
        kernel = keras.initializers.GlorotUniform(seeds(name))
        return keras.layers.Dense(units, activation, kernel_initializer=kernel, name=name)

    class Gan(keras.Model):
        def __init__(self):
            super().__init__()
            self.generator = keras.Sequential(
                [keras.Input((4,)), dense("g1", 16, "relu"), dense("g2", 64, "sigmoid")]
            )
            self.discriminator = keras.Sequential(
                [
                    keras.Input((64,)),
                    dense("d1", 16, "relu"),
                    keras.layers.Dropout(0.2, seed=seeds("dropout")),
                    dense("d2", 1),
                ]
            )
            self.latent = keras.random.SeedGenerator(seeds("latent"))
            self.generated = keras.metrics.Mean("generator_loss")
            self.discerned = keras.metrics.Mean("discriminator_loss")

        def compile(self, generator_optimizer, discriminator_optimizer):
            super().compile(optimizer=None)
            self.generator_optimizer = generator_optimizer
            self.discriminator_optimizer = discriminator_optimizer

        @property
        def metrics(self):
            return [self.generated, self.discerned]

        def call(self, x, training=False):
            return self.discriminator(x, training=training)

        def _fake(self, count):
            return self.generator(keras.random.normal((count, 4), seed=self.latent))

        def _discerning(self, real, fake, training):
            right, wrong = (self.discriminator(x, training=training) for x in (real, fake))
            return judged(tf.ones_like(right), right) + judged(tf.zeros_like(wrong), wrong)

        def train_step(self, data):
            real = data[0]
            with tf.GradientTape() as tape:
                loss = self._discerning(real, self._fake(tf.shape(real)[0]), True)
            weights = self.discriminator.trainable_variables
            self.discriminator_optimizer.apply(tape.gradient(loss, weights), weights)
            self.discerned.update_state(loss)
            with tf.GradientTape() as tape:
                fooled = self.discriminator(self._fake(tf.shape(real)[0]), training=True)
                loss = judged(tf.ones_like(fooled), fooled)
            weights = self.generator.trainable_variables
            self.generator_optimizer.apply(tape.gradient(loss, weights), weights)
            self.generated.update_state(loss)
            return self.get_metrics_result()

        def test_step(self, data):
            real = data[0]
            self.discerned.update_state(self._discerning(real, tf.zeros_like(real), False))
            return {"discriminator_loss": self.discerned.result()}

    network = Gan()
    network.compile(keras.optimizers.Adam(0.001), keras.optimizers.Adam(0.002))
    return network
