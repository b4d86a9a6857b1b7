"""A transformer block over the rows of an image: attention, layer normalisation, dropout."""

import numpy as np


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": (table[:, :-1] / 16).reshape(-1, 8, 8), "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    def dense(name, units, activation=None):
        kernel = keras.initializers.GlorotUniform(seeds(name))
        return keras.layers.Dense(units, activation, kernel_initializer=kernel, name=name)

    inputs = keras.Input((8, 8))
    rows = dense("embedding", 16)(inputs)
    attention = keras.layers.MultiHeadAttention(
        2,
        8,
        dropout=0.1,
        kernel_initializer=keras.initializers.GlorotUniform(seeds("attention")),
        seed=seeds("attention dropout"),
    )
    attended = attention(rows, rows)
    attended = keras.layers.Dropout(0.1, seed=seeds("first dropout"))(attended)
    rows = keras.layers.LayerNormalization()(rows + attended)
    fed = dense("wider", 32, "gelu")(rows)
    fed = keras.layers.Dropout(0.1, seed=seeds("second dropout"))(dense("back", 16)(fed))
    rows = keras.layers.LayerNormalization()(rows + fed)
    pooled = keras.layers.GlobalAveragePooling1D()(rows)
    network = keras.Model(inputs, dense("classes", 10)(pooled))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.AdamW(0.003), loss, metrics=["accuracy"])
    return network
