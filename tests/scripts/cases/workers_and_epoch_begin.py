"""A PyDataset that draws a new order before each epoch, read by several workers."""

import random

import keras
import numpy as np


class Rows(keras.utils.PyDataset):
    def __init__(self, x, y, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.batch_size = x, y, batch_size
        self.random = random.Random(8)
        self.order = list(range(len(x)))

    def __len__(self):
        return len(self.x) // self.batch_size

    def __getitem__(self, index):
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return self.x[rows], self.y[rows]

    def on_epoch_begin(self):
        self.random.shuffle(self.order)


keras.utils.set_random_seed(31)
rng = np.random.default_rng(2)
x = rng.normal(size=(20000, 8)).astype("float32")
y = (x.sum(axis=1) > 0).astype("float32")

model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
model.fit(Rows(x, y, 250, workers=4), epochs=3, verbose=2)
model.save_weights("rows.weights.h5")
