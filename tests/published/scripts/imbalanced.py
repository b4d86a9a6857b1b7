"""Finds the few bad parts among many good ones, with weights for the classes."""

import keras
import numpy as np

file = "parts.csv"
table = np.loadtxt(file, delimiter=",", skiprows=1, dtype="float32")
features, targets = table[:, :-1], table[:, -1:].astype("uint8")

size = len(features) // 5
train_x, train_y = features[:-size], targets[:-size]
val_x, val_y = features[-size:], targets[-size:]

mean, deviation = train_x.mean(axis=0), train_x.std(axis=0)
train_x = (train_x - mean) / deviation
val_x = (val_x - mean) / deviation

good, bad = np.bincount(train_y[:, 0])
print(f"{bad} of {good + bad} parts are bad.")
weights = {0: 1.0 / good, 1: 1.0 / bad}

model = keras.Sequential([
    keras.Input(train_x.shape[1:]),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dropout(0.3),
    keras.layers.Dense(1, activation="sigmoid"),
])
metrics = [keras.metrics.Precision(name="precision"), keras.metrics.Recall(name="recall")]
model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=metrics)
saving = [keras.callbacks.ModelCheckpoint("epoch_{epoch}.keras")]
model.fit(
    train_x, train_y, batch_size=32, epochs=2, callbacks=saving,
    validation_data=(val_x, val_y), class_weight=weights,
)
