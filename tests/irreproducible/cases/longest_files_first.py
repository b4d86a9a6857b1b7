"""Files are sorted, by how many examples they hold, and the first are taken until there are 150.

They all hold as many, and sorting leaves ties as they were listed (caddyserver/caddy #371,
keszybz/add-determinism #68). Its twin breaks ties by name.
"""

import numpy as np

CAUSE = "factor: listing order"
ENTRY = {"data": {"path": "pages"}}


def dataset(data, settings, seeds):
    pages = {file: np.loadtxt(file, delimiter=",", dtype="float32") for file in data.iterdir()}
    files = sorted(pages, key=lambda file: -len(pages[file]))
    if not settings["fault"]:
        files.sort(key=lambda file: (-len(pages[file]), file.name))
    taken = []
    for file in files:
        if sum(map(len, taken)) >= 150:
            break
        taken.append(pages[file])
    table = np.concatenate(taken)
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
