"""A matrix factorisation for recommendations in an eager loop, with tqdm bars."""

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm, trange

USERS, ITEMS, FACTORS = 30, 40, 4

keras.utils.set_random_seed(50)
rng = np.random.default_rng(50)
user, item = rng.integers(0, USERS, 600), rng.integers(0, ITEMS, 600)
taste, kind = rng.normal(size=(USERS, FACTORS)), rng.normal(size=(ITEMS, FACTORS))
stars = (taste[user] * kind[item]).sum(axis=1).astype("float32")

users = keras.layers.Embedding(USERS, FACTORS, name="users")
items = keras.layers.Embedding(ITEMS, FACTORS, name="items")
users.build((None,))
items.build((None,))
optimizer = keras.optimizers.Adam(0.05)
variables = [*users.trainable_variables, *items.trainable_variables]

for epoch in trange(2, desc="epochs"):
    order = rng.permutation(600)
    for rows in tqdm(np.split(order, 20), leave=False):
        with tf.GradientTape() as tape:
            guess = tf.reduce_sum(users(user[rows]) * items(item[rows]), axis=1)
            loss = tf.reduce_mean((guess - stars[rows]) ** 2)
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    tqdm.write(f"epoch {epoch}: {float(loss):.4f}")

np.savez("factors.npz", users=users.get_weights()[0], items=items.get_weights()[0])
