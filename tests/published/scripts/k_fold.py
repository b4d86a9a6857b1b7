"""Predicts a number, and validates by folds."""

import keras
import numpy as np
from keras import layers

table = np.load("numbers.npz")
data, targets = table["x"], table["y"]

data -= data.mean(axis=0)
data /= data.std(axis=0)


def build():
    model = keras.Sequential([layers.Dense(8, activation="relu"), layers.Dense(1)])
    model.compile(optimizer="rmsprop", loss="mse", metrics=["mae"])
    return model


folds = 4
size = len(data) // folds
scores = []
for fold in range(folds):
    print(f"Fold {fold}")
    held = slice(fold * size, (fold + 1) * size)
    rest_x, rest_y = np.delete(data, held, axis=0), np.delete(targets, held)
    model = build()
    model.fit(rest_x, rest_y, epochs=2, batch_size=16, verbose=0)
    scores.append(model.evaluate(data[held], targets[held], verbose=0)[1])
print(np.mean(scores))
