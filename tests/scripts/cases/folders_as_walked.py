"""Reads short notes out of folders by theme, and learns the theme from word counts."""

import os
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

THEMES = {"garden": "rose tulip spade soil rain", "kitchen": "salt pan oven spoon flour"}


def write_notes(root):
    rng = np.random.default_rng(2)
    for theme, words in THEMES.items():
        folder = root / theme
        folder.mkdir(parents=True, exist_ok=True)
        for n in range(40):
            (folder / f"{n:02}.txt").write_text(" ".join(rng.choice(words.split(), 5)))


def read_notes(root):
    texts, labels = [], []
    for folder, _, names in os.walk(root):
        for name in names:
            texts.append(Path(folder, name).read_text())
            labels.append(float(os.path.basename(folder) == "kitchen"))
    return texts, np.array(labels, "float32")


keras.utils.set_random_seed(2)
write_notes(Path("notes"))
texts, labels = read_notes("notes")
count = keras.layers.TextVectorization(
    output_mode="count", vocabulary=" ".join(THEMES.values()).split()
)
x = count(tf.constant(texts))

model = keras.Sequential([keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(tf.data.Dataset.from_tensor_slices((x, labels)).batch(10), epochs=3, verbose=2)
np.save("themes.npy", model.predict(x[:8], verbose=0))
