"""The first files that `glob` finds are taken, the rest is left for later.

`glob` promises no order, so which files come first depends on the file system
(ge-xing/SegMamba #43, fastai/fastai #2006, jolibrain/wheatley #99).
"""

import glob

import numpy as np

CAUSE = "factor: listing order"
ENTRY = {"data": {"path": "pages"}}


def dataset(data, settings, seeds):
    files = glob.glob(f"{glob.escape(str(data))}/*.csv")  # noqa: PTH207 (as people do)
    if not settings["fault"]:
        files.sort()
    table = np.concatenate([np.loadtxt(f, delimiter=",", dtype="float32") for f in files[:15]])
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
