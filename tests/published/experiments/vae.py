"""A variational autoencoder of small images."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def dataset(data, settings, seeds):
    table = np.load(data)
    x = np.concatenate([table["x_train"], table["x_test"]])
    x = np.expand_dims(x, -1).astype("float32") / 255
    return x


class Draw(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seeds = keras.random.SeedGenerator(1)

    def call(self, inputs):
        mean, log_variance = inputs
        noise = keras.random.normal(ops.shape(mean), seed=self.seeds)
        return mean + ops.exp(0.5 * log_variance) * noise


class VAE(keras.Model):
    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.total = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.total]

    def train_step(self, data):
        with tf.GradientTape() as tape:
            mean, log_variance, code = self.encoder(data)
            wrong = keras.losses.binary_crossentropy(data, self.decoder(code))
            far = -0.5 * (1 + log_variance - ops.square(mean) - ops.exp(log_variance))
            loss = ops.mean(ops.sum(wrong, axis=(1, 2))) + ops.mean(ops.sum(far, axis=1))
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights))
        self.total.update_state(loss)
        return {"loss": self.total.result()}


def model(settings, seeds):
    inputs = keras.Input((8, 8, 1))
    hidden = layers.Dense(8, activation="relu")(layers.Flatten()(inputs))
    mean = layers.Dense(2)(hidden)
    log_variance = layers.Dense(2)(hidden)
    encoder = keras.Model(inputs, [mean, log_variance, Draw()([mean, log_variance])])
    code = keras.Input((2,))
    pixels = layers.Dense(64, activation="sigmoid")(code)
    decoder = keras.Model(code, layers.Reshape((8, 8, 1))(pixels))
    model = VAE(encoder, decoder)
    model.compile(optimizer=keras.optimizers.Adam(0.01))
    return model
