"""Fits a noisy line. Options: --epochs, and --seed for who wants the same again."""

import argparse

import keras
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--seed", type=int)
args = parser.parse_args()

keras.utils.set_random_seed(1)
rng = np.random.default_rng(args.seed)
x = np.linspace(-1, 1, 120, dtype="float32").reshape(-1, 1)
y = 3 * x[:, 0] + 1 + rng.normal(0, 0.2, len(x)).astype("float32")


class Line(keras.Model):
    def __init__(self):
        super().__init__()
        self.slope = self.add_weight(shape=(1,), initializer="zeros", name="slope")
        self.offset = self.add_weight(shape=(1,), initializer="zeros", name="offset")

    def call(self, x):
        return x[:, 0] * self.slope + self.offset


model = Line()
model.compile(keras.optimizers.SGD(0.1), "mse")
model.fit(x, y, batch_size=12, epochs=args.epochs, shuffle=False, verbose=2)
np.savez("line.npz", slope=model.slope.numpy(), offset=model.offset.numpy())
