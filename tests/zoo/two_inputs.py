"""A model with two inputs by name, and a weight for each example."""

import numpy as np


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    halves = {"upper": table[:, :32] / 16, "lower": table[:, 32:-1] / 16}
    weight = 0.5 + table[:, :-1].mean(axis=1) / 16
    return {"x": halves, "y": table[:, -1].astype("int32"), "sample_weight": weight}


def model(settings, seeds):
    import keras

    def dense(name, units, activation=None):
        kernel = keras.initializers.GlorotUniform(seeds(name))
        return keras.layers.Dense(units, activation, kernel_initializer=kernel, name=name)

    inputs = {name: keras.Input((32,), name=name) for name in ("upper", "lower")}
    towers = [dense(f"tower_{name}", 8, "relu")(part) for name, part in inputs.items()]
    joined = keras.layers.Dropout(0.2, seed=seeds("dropout"))(keras.layers.Concatenate()(towers))
    network = keras.Model(inputs, dense("classes", 10)(joined))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, weighted_metrics=["accuracy"])
    return network
