"""Tells praise from blame, from texts in a folder for each."""

import re
import string

import keras
import tensorflow as tf
from keras import layers

train = keras.utils.text_dataset_from_directory(
    "texts", batch_size=16, validation_split=0.25, subset="training", seed=1
)
validation = keras.utils.text_dataset_from_directory(
    "texts", batch_size=16, validation_split=0.25, subset="validation", seed=1
)


def plain(text):
    text = tf.strings.regex_replace(tf.strings.lower(text), "<br />", " ")
    return tf.strings.regex_replace(text, f"[{re.escape(string.punctuation)}]", "")


vectorize = layers.TextVectorization(standardize=plain, max_tokens=30, output_sequence_length=8)
texts = train.map(lambda text, label: text)
vectorize.adapt(texts)

train = train.map(lambda text, label: (vectorize(text), label)).cache()
validation = validation.map(lambda text, label: (vectorize(text), label)).cache()

inputs = keras.Input((None,), dtype="int64")
x = layers.Embedding(30, 8)(inputs)
x = layers.Dropout(0.2)(x)
x = layers.GlobalAveragePooling1D()(x)
model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(train, validation_data=validation, epochs=2)
