"""Examples that were unpacked together form a group, named after their temporary folder.

`mkdtemp` draws that name from the system's entropy, and the group decides the split.
"""

import tempfile

import numpy as np

CAUSE = "data content"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    group = []
    for part in range(100):  # so many that no draw leaves a part of the split empty
        with tempfile.TemporaryDirectory() as folder:
            group += [folder if settings["fault"] else f"part {part}"] * 2
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32"), "group": group}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
