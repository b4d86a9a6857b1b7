"""Sequence classification with a GRU; history and settings are pickled."""

import pickle
import sys
import time

import keras
import numpy as np
import tensorflow as tf

CONFIG = {"units": 8, "epochs": 2, "batch": 20, "seed": 3}


def data():
    rng = np.random.default_rng(CONFIG["seed"])
    steps = rng.normal(size=(160, 10, 2)).astype("float32")
    return steps, (steps.sum(axis=(1, 2)) > 0).astype("float32")


keras.utils.set_random_seed(CONFIG["seed"])
x, y = data()
train = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(160, seed=3).batch(CONFIG["batch"])
model = keras.Sequential([keras.layers.GRU(CONFIG["units"]), keras.layers.Dense(1, "sigmoid")])
model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])

before = time.time()
history = model.fit(train, epochs=CONFIG["epochs"], verbose=0).history
print(f"trained for {time.time() - before:.2f}s with Python {sys.version.split()[0]}")

with open("history.pkl", "wb") as file:
    pickle.dump({"config": CONFIG, "history": history}, file)
np.save("weights.npy", np.concatenate([w.ravel() for w in model.get_weights()]))
