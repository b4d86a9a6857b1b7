"""Tells praise from blame, from texts in a folder for each."""

import re
import string

import keras
import tensorflow as tf
from keras import layers


def dataset(data, settings, seeds):
    train = keras.utils.text_dataset_from_directory(
        data, batch_size=16, validation_split=0.25, subset="training", seed=1
    )
    validation = keras.utils.text_dataset_from_directory(
        data, batch_size=16, validation_split=0.25, subset="validation", seed=1
    )
    return {"train": train, "validation": validation}


def plain(text):
    text = tf.strings.regex_replace(tf.strings.lower(text), "<br />", " ")
    return tf.strings.regex_replace(text, f"[{re.escape(string.punctuation)}]", "")


def fit_preprocessing(train, settings, seeds):
    vectorize = layers.TextVectorization(standardize=plain, max_tokens=30, output_sequence_length=8)
    texts = train["x"]
    vectorize.adapt(texts)
    return {"x": vectorize}


def model(settings, seeds):
    inputs = keras.Input((None,), dtype="int64")
    x = layers.Embedding(30, 8)(inputs)
    x = layers.Dropout(0.2)(x)
    x = layers.GlobalAveragePooling1D()(x)
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model
