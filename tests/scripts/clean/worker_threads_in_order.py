"""A variational autoencoder of pictures that are prepared in threads and read by a PyDataset."""

import os
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import tensorflow as tf


class Sampling(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seeds = keras.random.SeedGenerator(25)

    def call(self, inputs):
        mean, log_variance = inputs
        noise = keras.random.normal(tf.shape(mean), seed=self.seeds)
        return mean + keras.ops.exp(0.5 * log_variance) * noise


class VAE(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(24, activation="relu")
        self.mean, self.spread = keras.layers.Dense(2), keras.layers.Dense(2)
        self.sampling = Sampling()
        self.decoder = keras.Sequential([
            keras.layers.Dense(24, activation="relu"),
            keras.layers.Dense(64, activation="sigmoid"),
        ])

    def call(self, x):
        h = self.hidden(x)
        mean, spread = self.mean(h), self.spread(h)
        divergence = 0.5 * keras.ops.mean(mean**2 + keras.ops.exp(spread) - spread - 1)
        self.add_loss(0.01 * divergence)
        return self.decoder(self.sampling([mean, spread]))


class Batches(keras.utils.PyDataset):
    def __init__(self, rows, size, **kwargs):
        super().__init__(**kwargs)
        self.rows, self.size = rows, size

    def __len__(self):
        return len(self.rows) // self.size

    def __getitem__(self, index):
        batch = self.rows[index * self.size : (index + 1) * self.size]
        return batch, batch


def prepared(row):
    return np.clip(row / 16, 0, 1)


keras.utils.set_random_seed(25)
table = np.loadtxt("digits.csv", delimiter=",", dtype="float32")[:, :-1]
with ThreadPoolExecutor(os.cpu_count()) as pool:
    rows = np.stack(list(pool.map(prepared, table)))

model = VAE()
model.compile(keras.optimizers.Adam(0.005), "mse")
model.fit(Batches(rows, 20, workers=2), epochs=3, shuffle=False, verbose=2)
model.save_weights("vae.weights.h5")
