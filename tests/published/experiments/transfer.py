"""Puts a new head on a saved model."""

import keras
import numpy as np


def dataset(data, settings, seeds):
    table = np.load(data)
    x, y = table["x"], table["y"]
    return x, y


def model(settings, seeds, pretrained, prepared):
    base = keras.models.load_model(pretrained)
    base.trainable = False

    inputs = keras.Input(prepared.shapes["x"])
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
    return model
