"""Words are collected in a set and sorted; another set says which are passed over."""

import json

import keras
import numpy as np
import tensorflow as tf

COLOURS = "red green blue yellow white black".split()
THINGS = "car house bird river stone cloud ship".split()
PASSED_OVER = {"the", "is", "a", "and", "of"}

rng = np.random.default_rng(53)
texts = [
    f"the {rng.choice(COLOURS)} {rng.choice(THINGS)} is a {rng.choice(THINGS)}" for _ in range(150)
]
warm = np.array([float("red" in text or "yellow" in text) for text in texts], "float32")

seen = {word for text in texts for word in text.split()} - PASSED_OVER
vocabulary = sorted(seen)
index = {word: n for n, word in enumerate(vocabulary)}
x = np.zeros((len(texts), len(vocabulary)), "float32")
for row, text in enumerate(texts):
    for word in set(text.split()) - PASSED_OVER:
        x[row, index[word]] += 1

keras.utils.set_random_seed(53)
model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
data = tf.data.Dataset.from_tensor_slices((x, warm)).shuffle(150, seed=2).batch(15)
model.fit(data, epochs=3, verbose=2)
model.save("colours.keras")
with open("vocabulary.json", "w") as file:
    json.dump(index, file)
