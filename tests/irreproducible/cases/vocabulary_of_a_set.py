"""The columns of a bag of words stand in the order in which a set of words is walked.

That order changes with PYTHONHASHSEED (piskvorky/gensim #662, huggingface/datasets #5729,
NTMC-Community/MatchZoo-py #100).
"""

import numpy as np

CAUSE = "factor: hash seed"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    texts = [[f"bright-{n}" for n in np.flatnonzero(row[:-1] > 8)] for row in table]
    words = {word for text in texts for word in text}
    vocabulary = list(words) if settings["fault"] else sorted(words)
    x = [[float(word in text) for word in vocabulary[:40]] for text in texts]
    return {"x": np.array(x, "float32"), "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    kernel = keras.initializers.GlorotUniform(seeds("kernel"))
    network = keras.Sequential(
        [keras.Input((40,)), keras.layers.Dense(10, kernel_initializer=kernel)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
