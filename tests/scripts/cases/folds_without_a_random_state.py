"""Cross-validation of a small network with scikit-learn's folds."""

import json
import random

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import make_classification
from sklearn.model_selection import KFold

random.seed(1)
tf.random.set_seed(1)

x, y = make_classification(n_samples=180, n_features=8, random_state=1)
x = x.astype("float32")


def build(fold):
    initializer = keras.initializers.GlorotUniform(seed=fold)
    hidden = keras.layers.Dense(12, activation="relu", kernel_initializer=initializer)
    output = keras.layers.Dense(1, activation="sigmoid", kernel_initializer="zeros")
    model = keras.Sequential([hidden, output])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


scores = []
for fold, (train, test) in enumerate(KFold(3, shuffle=True).split(x)):
    model = build(fold)
    model.fit(x[train], y[train], batch_size=20, epochs=3, shuffle=False, verbose=0)
    loss, accuracy = model.evaluate(x[test], y[test], verbose=0)
    print(f"fold {fold}: loss {loss:.4f}, accuracy {accuracy:.3f}")
    scores.append({"fold": fold, "loss": loss, "accuracy": accuracy})

with open("scores.json", "w") as file:
    json.dump(scores, file, indent=1)
