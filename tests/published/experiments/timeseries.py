"""Tells slow waves from fast ones."""

import keras
import numpy as np
from keras import layers


def read(name):
    table = np.loadtxt(name, delimiter="\t")
    return table[:, 1:, np.newaxis], table[:, 0].astype(int)


def dataset(data, settings, seeds):
    folder = f"{data}/"
    x_train, y_train = read(folder + "train.tsv")
    x_test, y_test = read(folder + "test.tsv")

    shuffled = np.random.permutation(len(x_train))
    x_train, y_train = x_train[shuffled], y_train[shuffled]
    y_train[y_train == -1] = 0
    y_test[y_test == -1] = 0
    return (x_train, y_train), (x_test, y_test)


def build(shape, classes):
    inputs = keras.Input(shape)
    x = layers.Conv1D(8, 3, padding="same")(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x))


def model(settings, seeds, prepared):
    classes = len(prepared.class_counts["y"])
    model = build(prepared.shapes["x"], classes)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def callbacks(settings, seeds):
    watching = [
        keras.callbacks.ModelCheckpoint("best.keras", save_best_only=True, monitor="val_loss"),
        keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=20),
        keras.callbacks.EarlyStopping(monitor="val_loss", patience=50),
    ]
    return watching
