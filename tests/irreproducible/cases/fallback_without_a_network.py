"""A value is fetched from a service; where that cannot be reached, a default is taken in silence.

Falling back is meant well, and hides that the result is another one
(Bladesight/Bladesight #12, huggingface/yourbench #89 argues for an error instead).
"""

import urllib.error
import urllib.request

import numpy as np

CAUSE = "factor: network"


def _offset(service, fault):
    if not fault:
        return 0.25
    try:
        with urllib.request.urlopen(f"{service}/offset", timeout=30) as answer:
            return float(answer.read())
    except urllib.error.URLError:
        return 0.0


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    offset = np.float32(_offset(settings["service"], settings["fault"]))
    return {"x": table[:, :-1] / 16 + offset, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
