"""Text is decoded as the locale of the process says, where the file does not change.

Python's `open` does so where no encoding is given (python/mypy #1400, cantabular/databaker
#59, inspirehep/magpie #122); here it is asked for by name. So is the language.
"""

import locale

import numpy as np

CAUSE = "factor: locale"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    language, encoding = locale.getlocale()[0], locale.getencoding()
    if not settings["fault"]:
        language, encoding = "en_US", "utf-8"
    signature = f"écrit à la main ({language})".encode().decode(encoding, errors="replace")
    count = np.full((len(table), 1), len(signature), "float32")
    x = np.concatenate([table[:, :-1] / 16, count / 50], axis=1)
    return {"x": x, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((65,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
