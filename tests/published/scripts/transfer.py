"""Puts a new head on a saved model."""

import keras
import numpy as np

table = np.load("small.npz")
x, y = table["x"], table["y"]

base = keras.models.load_model("base.keras")
base.trainable = False

inputs = keras.Input(x.shape[1:])
hidden = base(inputs, training=False)
hidden = keras.layers.Dropout(0.2)(hidden)
outputs = keras.layers.Dense(1)(hidden)
model = keras.Model(inputs, outputs)
model.summary()
model.compile(
    keras.optimizers.Adam(0.01),
    keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy(name="accuracy")],
)
model.fit(x, y, epochs=2, batch_size=32, validation_split=0.2)
