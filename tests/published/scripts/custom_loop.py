"""Trains by a loop of its own."""

import keras
import numpy as np
import tensorflow as tf

table = np.load("small.npz")
x, y = table["x"], table["y"]
train = tf.data.Dataset.from_tensor_slices((x[:-40], y[:-40])).shuffle(1024).batch(16)
validation = tf.data.Dataset.from_tensor_slices((x[-40:], y[-40:])).batch(16)

inputs = keras.Input((6,))
outputs = keras.layers.Dense(1)(inputs)
model = keras.Model(inputs, outputs)

optimizer = keras.optimizers.Adam(0.01)
loss_of = keras.losses.BinaryCrossentropy(from_logits=True)
accuracy = keras.metrics.BinaryAccuracy(name="accuracy")
held_out = keras.metrics.BinaryAccuracy(name="accuracy")


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        predicted = model(x, training=True)
        loss = loss_of(y, predicted)
    gradients = tape.gradient(loss, model.trainable_weights)
    optimizer.apply(gradients, model.trainable_weights)
    accuracy.update_state(y, predicted)
    return loss


@tf.function
def test_step(x, y):
    predicted = model(x, training=False)
    held_out.update_state(y, predicted)


for epoch in range(2):
    for x, y in train:
        loss = train_step(x, y)
    print(f"Epoch {epoch}: loss {float(loss):.3f}, accuracy {float(accuracy.result()):.3f}")
    accuracy.reset_state()
    for x, y in validation:
        test_step(x, y)
    print(f"Validation: accuracy {float(held_out.result()):.3f}")
    held_out.reset_state()
