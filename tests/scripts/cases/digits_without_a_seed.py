"""Small convolutional network on handwritten digits."""

import keras
import numpy as np
import tensorflow as tf

BATCH = 20

tf.config.threading.set_intra_op_parallelism_threads(1)

table = np.loadtxt("digits.csv", delimiter=",", dtype="float32")
x = table[:, :-1].reshape(-1, 8, 8, 1) / 16
y = table[:, -1].astype("int64")
x_train, y_train = x[:160], y[:160]
x_test, y_test = x[160:], y[160:]

model = keras.Sequential([keras.Input((8, 8, 1))])
model.add(keras.layers.Conv2D(8, 3, activation="relu"))
model.add(keras.layers.MaxPooling2D())
model.add(keras.layers.Flatten())
model.add(keras.layers.Dropout(0.2))
model.add(keras.layers.Dense(10, activation="softmax"))
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

train = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(160, seed=3).batch(BATCH)
model.fit(train, epochs=3, verbose=2)

loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test loss {loss:.4f}, test accuracy {accuracy:.4f}")
model.save("digits.keras")
