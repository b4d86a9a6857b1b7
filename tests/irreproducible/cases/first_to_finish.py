"""Several starting points are tried side by side, and the first that is ready is taken.

(FINRAOS/DataGenerator #43: what the first worker finds decides.) Two runs may well agree: this
is why it is repeated more than once.
"""

import zlib
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from threading import Barrier

import numpy as np

CAUSE = "a race"
ENTRY = {"repeats": 3}
TRIED = 6


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


def model(settings, seeds):
    import keras

    together = Barrier(TRIED)

    def tried(number):
        draws = np.random.default_rng(seeds(f"start {number}"))
        start = draws.normal(0, 0.1, (64, 10)).astype("float32")
        together.wait()
        return start, len(zlib.compress(start.tobytes() * 2000, 6))

    with ThreadPoolExecutor(TRIED) as pool:
        starts = [pool.submit(tried, number) for number in range(TRIED)]
        done = wait(starts, return_when=FIRST_COMPLETED).done
        start, _ = next(iter(done if settings["fault"] else starts)).result()
    network = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, name="classes")])
    network.set_weights([start, np.zeros(10, "float32")])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
