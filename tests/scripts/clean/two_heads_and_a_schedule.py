"""One body, two heads, a cosine schedule, and a step of its own compiled by tf.function."""

import keras
import numpy as np
import tensorflow as tf

SEED, BATCH, EPOCHS = 55, 25, 3
keras.utils.set_random_seed(SEED)
rng = np.random.default_rng(SEED)
x = rng.normal(size=(200, 6)).astype("float32")
size = np.linalg.norm(x, axis=1, keepdims=True).astype("float32")
side = (x[:, :1] > 0).astype("float32")

inputs = keras.Input((6,))
body = keras.layers.Dense(16, activation="gelu")(inputs)
body = keras.layers.Dropout(0.1, seed=1)(body)
heads = keras.layers.Dense(1, name="size")(body), keras.layers.Dense(1, name="side")(body)
model = keras.Model(inputs, heads)
steps = EPOCHS * len(x) // BATCH
optimizer = keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(0.01, steps))
crossentropy = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function
def step(x, size, side):
    with tf.GradientTape() as tape:
        sizes, sides = model(x, training=True)
        loss = tf.reduce_mean(tf.square(sizes - size)) + crossentropy(side, sides)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for epoch in range(EPOCHS):
    order = rng.permutation(len(x))
    losses = []
    for start in range(0, len(x), BATCH):
        rows = order[start : start + BATCH]
        losses.append(float(step(x[rows], size[rows], side[rows])))
    print(f"epoch {epoch + 1}: loss {np.mean(losses):.6f}")
model.save("heads.keras")
