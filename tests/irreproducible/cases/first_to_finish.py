"""Several starting points are tried side by side, and the first that is ready is taken.

(FINRAOS/DataGenerator #43: what the first worker finds decides.) Two runs agree now and then,
so it is repeated more than once.
"""

import zlib
from concurrent.futures import ThreadPoolExecutor, as_completed

import numpy as np

CAUSE = "a race"
ENTRY = {"repeats": 3}


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    def tried(number):
        draws = np.random.default_rng(seeds(f"start {number}"))
        start = draws.normal(0, 0.1, (64, 10)).astype("float32")
        for _ in range(100):  # as many steps as to see what becomes of it
            zlib.compress(start.tobytes() * 20, 6)
        return start

    with ThreadPoolExecutor(5) as pool:
        starts = [pool.submit(tried, number) for number in range(5)]
        start = next(iter(as_completed(starts) if settings["fault"] else starts)).result()
    network = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, name="classes")])
    network.set_weights([start, np.zeros(10, "float32")])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
