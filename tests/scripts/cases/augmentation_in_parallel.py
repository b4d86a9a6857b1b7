"""Digits, shifted and turned at random in the input pipeline, four at a time."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(123)
tf.config.threading.set_intra_op_parallelism_threads(1)

table = np.loadtxt("digits.csv", delimiter=",", dtype="float32")
x = table[:, :-1].reshape(-1, 8, 8, 1) / 16
y = table[:, -1].astype("int64")

shift = keras.layers.RandomTranslation(0.2, 0.2, seed=1)
turn = keras.layers.RandomRotation(0.1, seed=2)


def augment(image, label):
    return turn(shift(image, training=True), training=True), label


train = (
    tf.data.Dataset.from_tensor_slices((x, y))
    .shuffle(200, seed=3)
    .map(augment, num_parallel_calls=4)
    .batch(20)
    .prefetch(2)
)

model = keras.Sequential([
    keras.Input((8, 8, 1)),
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train, epochs=3, verbose=2)
model.export("exported")
