"""Tells shapes apart: pictures in one folder a class, read as they are listed."""

import os

import keras
import numpy as np
import tensorflow as tf

ROOT = "shapes"
SIDE = 12


def draw(kind, rng):
    picture = rng.integers(0, 40, (SIDE, SIDE, 1)).astype("uint8")
    a, b = rng.integers(1, 5), rng.integers(7, 11)
    if kind == "bar":
        picture[a : a + 2, 1:-1] = 220
    elif kind == "box":
        picture[a:b, a:b] = 220
    elif kind == "cross":
        picture[b - 3, :] = picture[:, a + 2] = 220
    elif kind == "dot":
        picture[b - 2 : b, b - 2 : b] = 220
    elif kind == "frame":
        picture[a, a:b] = picture[b, a:b] = picture[a:b, a] = picture[a:b, b] = 220
    return picture


def write_pictures():
    rng = np.random.default_rng(0)
    for kind in ("bar", "box", "cross", "dot", "frame"):
        os.makedirs(os.path.join(ROOT, kind), exist_ok=True)
        for number in range(24):
            png = tf.io.encode_png(draw(kind, rng))
            tf.io.write_file(os.path.join(ROOT, kind, f"{number:03}.png"), png)


def read_pictures():
    x, y = [], []
    classes = os.listdir(ROOT)
    for label, kind in enumerate(classes):
        for name in sorted(os.listdir(os.path.join(ROOT, kind))):
            png = tf.io.read_file(os.path.join(ROOT, kind, name))
            x.append(tf.io.decode_png(png).numpy() / 255)
            y.append(label)
    return np.array(x, "float32"), np.array(y), classes


keras.utils.set_random_seed(2024)
write_pictures()
x, y, classes = read_pictures()
print(len(x), "pictures of", len(classes), "classes")

model = keras.Sequential([
    keras.layers.Flatten(),
    keras.layers.Dense(24, activation="relu"),
    keras.layers.Dense(len(classes)),
])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile("adam", loss, metrics=["accuracy"])
train = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x), seed=8).batch(24)
model.fit(train, epochs=3, verbose=2)
model.save("shapes.keras")
