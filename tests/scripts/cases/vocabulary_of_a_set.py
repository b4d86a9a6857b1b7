"""Topic of a short text, with a vocabulary of its own in TextVectorization."""

import csv

import keras
import numpy as np
import tensorflow as tf

WORDS = {
    "sport": "match goal team coach league player stadium score trophy season".split(),
    "money": "market bank price stock profit tax loan budget trade currency".split(),
    "space": "planet orbit rocket star moon galaxy comet probe launch crater".split(),
}
TOPICS = list(WORDS)


def make_texts(n):
    rng = np.random.default_rng(5)
    everything = [word for words in WORDS.values() for word in words]
    texts, topics = [], []
    for _ in range(n):
        topic = int(rng.integers(len(TOPICS)))
        words = [*rng.choice(WORDS[TOPICS[topic]], 5), *rng.choice(everything, 3)]
        texts.append(" ".join(words))
        topics.append(topic)
    return texts, np.array(topics)


keras.utils.set_random_seed(7)
texts, topics = make_texts(150)

vocabulary = set()
for text in texts:
    vocabulary.update(text.split())
vectorize = keras.layers.TextVectorization(vocabulary=list(vocabulary), output_sequence_length=8)
tokens = vectorize(tf.constant(texts))

model = keras.Sequential([
    keras.layers.Embedding(len(vocabulary) + 2, 8),
    keras.layers.GlobalAveragePooling1D(),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
train = tf.data.Dataset.from_tensor_slices((tokens, topics)).shuffle(150, seed=1).batch(25)
model.fit(train, epochs=3, verbose=2)

guessed = model.predict(tokens, verbose=0)
with open("guesses.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["text", *TOPICS])
    for text, row in zip(texts, guessed):
        writer.writerow([text, *(f"{value:.6f}" for value in row)])
