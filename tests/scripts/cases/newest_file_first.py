"""Counts rides from daily tables, newest first, with pandas."""

import glob
import os

import keras
import pandas as pd
import tensorflow as tf

files = sorted(glob.glob("days/*.csv"), key=os.path.getmtime, reverse=True)
table = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)
print(len(files), "files,", len(table), "rows")

keras.utils.set_random_seed(3)
x = table[["hour", "temperature", "holiday"]].to_numpy("float32") / [24, 30, 1]
y = table["rides"].to_numpy("float32") / 100

model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)])
model.compile("adam", "mae")
model.fit(tf.data.Dataset.from_tensor_slices((x, y)).batch(24), epochs=4, verbose=2)

table["expected"] = model.predict(x, verbose=0)[:, 0] * 100
by_hour = table.groupby("hour")[["rides", "expected"]].mean()
by_hour.to_csv("by_hour.csv")
