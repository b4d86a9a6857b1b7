"""A generative adversarial network that learns points on a ring."""

import keras
import numpy as np
import tensorflow as tf

np.random.seed(9)
BATCH, NOISE = 32, 4


def glorot(seed):
    return keras.initializers.GlorotUniform(seed)


generator = keras.Sequential(name="generator")
generator.add(keras.Input((NOISE,)))
generator.add(keras.layers.Dense(16, activation="relu", kernel_initializer=glorot(1)))
generator.add(keras.layers.Dense(2, kernel_initializer=glorot(2)))

discriminator = keras.Sequential(name="discriminator")
discriminator.add(keras.Input((2,)))
discriminator.add(keras.layers.Dense(16, activation="relu", kernel_initializer=glorot(3)))
discriminator.add(keras.layers.Dense(1))

bce = keras.losses.BinaryCrossentropy(from_logits=True)
g_optimizer = keras.optimizers.Adam(1e-3)
d_optimizer = keras.optimizers.Adam(1e-3)


@tf.function
def train_step(real, noise):
    with tf.GradientTape() as d_tape, tf.GradientTape() as g_tape:
        fake = generator(noise, training=True)
        of_real, of_fake = discriminator(real), discriminator(fake)
        d_loss = bce(tf.ones_like(of_real), of_real) + bce(tf.zeros_like(of_fake), of_fake)
        g_loss = bce(tf.ones_like(of_fake), of_fake)
    d_variables = discriminator.trainable_variables
    g_variables = generator.trainable_variables
    d_optimizer.apply(d_tape.gradient(d_loss, d_variables), d_variables)
    g_optimizer.apply(g_tape.gradient(g_loss, g_variables), g_variables)
    return d_loss, g_loss


angle = np.random.uniform(0, 2 * np.pi, 640)
ring = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype("float32")
for epoch in range(3):
    for start in range(0, len(ring), BATCH):
        noise = np.random.normal(size=(BATCH, NOISE)).astype("float32")
        d_loss, g_loss = train_step(ring[start : start + BATCH], noise)
    print(f"epoch {epoch}: discriminator {d_loss:.4f}, generator {g_loss:.4f}")

generator.save("generator.keras")
discriminator.save("discriminator.keras")
