"""Sentiment of short reviews; stop words and decimal marks go by the language of the session."""

import json
import os

import keras
import numpy as np
import tensorflow as tf

STOP = {"en": {"the", "was", "and", "a"}, "C": {"the", "and"}}
GOOD, BAD = "great lovely tasty warm quick".split(), "awful cold bland slow rude".split()
OTHER = "the food was and a place waiter evening soup bread".split()


def reviews(n):
    rng = np.random.default_rng(33)
    texts, good = [], []
    for _ in range(n):
        liked = bool(rng.integers(2))
        words = [*rng.choice(GOOD if liked else BAD, 2), *rng.choice(OTHER, 6)]
        texts.append(" ".join(rng.permutation(words)))
        good.append(float(liked))
    return texts, np.array(good, "float32")


def cleaned(text):
    language = os.environ.get("LC_ALL") or os.environ.get("LANG") or "en"
    stop = STOP.get(language.split("_")[0].split(".")[0], set())
    return " ".join(word for word in text.split() if word not in stop)


keras.utils.set_random_seed(4)
texts, good = reviews(160)
texts = [cleaned(text) for text in texts]

vectorize = keras.layers.TextVectorization(output_mode="multi_hot")
vectorize.adapt(tf.constant(texts))
x = vectorize(tf.constant(texts))

model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
train = tf.data.Dataset.from_tensor_slices((x, good)).shuffle(160, seed=2).batch(20)
history = model.fit(train, epochs=3, verbose=2)
model.save("sentiment.keras")
with open("metrics.json", "w") as file:
    json.dump({name: values[-1] for name, values in history.history.items()}, file)
