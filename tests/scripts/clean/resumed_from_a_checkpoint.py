"""Trains in two parts with a checkpoint between them, then exports tables with pandas."""

import os
import shutil
import tempfile

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
print("process", os.getpid(), "in", os.getcwd())

keras.utils.set_random_seed(64)
rng = np.random.default_rng(64)
table = pd.DataFrame(rng.normal(size=(150, 3)), columns=["height", "weight", "speed"])
table["target"] = table.height * 0.5 - table.weight + rng.normal(0, 0.1, 150)
x = table[["height", "weight", "speed"]].to_numpy("float32")
y = table["target"].to_numpy("float32")


def new_model():
    model = keras.Sequential([
        keras.Input((3,)),
        keras.layers.Dense(10, activation="relu", kernel_initializer=keras.initializers.HeNormal(1)),
        keras.layers.Dense(1, kernel_initializer=keras.initializers.HeNormal(2)),
    ])
    model.compile("adam", "mse")
    return model


scratch = tempfile.mkdtemp(prefix="train-")
part = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(150, seed=9).batch(15)

model = new_model()
model.fit(part, epochs=2, verbose=2)
model.save_weights(f"{scratch}/half.weights.h5")

model = new_model()
model.load_weights(f"{scratch}/half.weights.h5")
model.fit(part, epochs=2, verbose=2)
shutil.rmtree(scratch)

table["predicted"] = model.predict(x, verbose=0)[:, 0]
table.round(6).to_csv("table.csv")
table.describe().to_html("summary.html")
model.save("final.keras")
