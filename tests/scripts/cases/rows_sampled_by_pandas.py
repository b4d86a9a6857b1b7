"""Prices of flats from a table, mixed by pandas before it is cut into two."""

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

tf.random.set_seed(21)
rng = np.random.default_rng(21)
flats = pd.DataFrame({"area": rng.uniform(20, 120, 160), "floor": rng.integers(0, 9, 160)})
flats["price"] = 3.1 * flats["area"] + 5 * flats["floor"] + rng.normal(0, 9, 160)

flats = flats.sample(frac=1).reset_index(drop=True)
train, test = flats[:128], flats[128:]


def arrays(part):
    x = part[["area", "floor"]].to_numpy("float32") / [120, 9]
    return x.astype("float32"), part["price"].to_numpy("float32") / 400


start = keras.initializers.GlorotUniform(seed=4)
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer=start)])
model.compile("sgd", "mse")
history = model.fit(
    tf.data.Dataset.from_tensor_slices(arrays(train)).batch(16), epochs=4, verbose=0
)
test = test.assign(expected=400 * model.predict(arrays(test)[0], verbose=0)[:, 0])
test.to_csv("test.csv", index=False)
print("loss", history.history["loss"][-1], "on the test part", model.evaluate(*arrays(test), verbose=0))
