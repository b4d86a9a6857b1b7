"""What stands in a certain place of a file's full path is read as the name of its writer.

Labels from paths go wrong when the data lies elsewhere (fastai/fastai_dev #181: `parent_label`
took another part of the path).
"""

import zlib

import numpy as np

CAUSE = "factor: paths"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    writer = data.parent.name if settings["fault"] else data.stem
    mark = np.full((len(table), 1), zlib.crc32(writer.encode()) % 1000, "float32")
    x = np.concatenate([table[:, :-1] / 16, mark / 1000], axis=1)
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
