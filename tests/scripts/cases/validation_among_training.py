"""Splits a shuffled dataset, which is shuffled anew in each epoch, and so is split anew."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(40)

table = np.loadtxt("digits.csv", delimiter=",", dtype="float32")
x, y = table[:, :-1] / 16, table[:, -1].astype("int64")

digits = tf.data.Dataset.from_tensor_slices((x, y))
digits = digits.shuffle(200, seed=5)
validation = digits.take(40).batch(20)
train = digits.skip(40).batch(20)

model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=validation, epochs=4, verbose=2)
model.save_weights("digits.weights.h5")
