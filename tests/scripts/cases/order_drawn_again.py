"""Own loop over mini-batches of digits, in an order that is drawn for each epoch."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(17)
tf.config.threading.set_intra_op_parallelism_threads(1)

table = np.loadtxt("digits.csv", delimiter=",", dtype="float32")
x, y = table[:, :-1] / 16, table[:, -1].astype("int64")


def batches(size=25):
    rng = np.random.default_rng(5)
    order = rng.permutation(len(x))
    for start in range(0, len(x) - size + 1, size):
        rows = order[start : start + size]
        yield x[rows], y[rows]


model = keras.Sequential([
    keras.layers.Dense(24, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

for epoch in range(6):
    for images, labels in batches():
        loss, accuracy = model.train_on_batch(images, labels)
    print(f"epoch {epoch + 1}: loss {loss:.4f}, accuracy {accuracy:.4f}")

model.save_weights("digits.weights.h5")
