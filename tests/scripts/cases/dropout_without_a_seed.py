"""Fraud in made-up payments, with dropout; the weights start from fixed numbers."""

import keras
import numpy as np
import tensorflow as tf

rng = np.random.default_rng(13)
amounts = rng.lognormal(3, 1, (300, 1))
others = rng.normal(size=(300, 5))
x = np.hstack([np.log(amounts), others]).astype("float32")
y = (x[:, 0] + x[:, 1] > 4).astype("float32")

init = keras.initializers.RandomNormal(stddev=0.2, seed=13)
inputs = keras.Input((6,))
hidden = keras.layers.Dense(20, activation="relu", kernel_initializer=init)(inputs)
hidden = keras.layers.Dropout(0.4)(hidden)
outputs = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=init)(hidden)
model = keras.Model(inputs, outputs)
model.compile("rmsprop", "binary_crossentropy", metrics=[keras.metrics.AUC(name="auc")])

data = tf.data.Dataset.from_tensor_slices((x, y)).batch(30)
model.fit(data, epochs=3, class_weight={0: 1.0, 1: 3.0}, verbose=2)
model.save("fraud.keras")
