"""Iris-like flowers, with a log file that is named by the moment of the start."""

import logging
import os
import sys
from datetime import datetime

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

SEED = 0


def start_log():
    os.makedirs("logs", exist_ok=True)
    name = f"logs/train_{datetime.now():%Y%m%d_%H%M%S}.log"
    form = "%(asctime)s [%(process)d] %(levelname)s %(message)s"
    handlers = [logging.FileHandler(name), logging.StreamHandler(sys.stdout)]
    logging.basicConfig(level=logging.INFO, format=form, handlers=handlers)
    return logging.getLogger("iris")


def main():
    log = start_log()
    keras.utils.set_random_seed(SEED)
    x, y = load_iris(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(
        x, y, test_size=0.3, stratify=y, random_state=SEED
    )
    scaler = StandardScaler().fit(x_train)
    data = tf.data.Dataset.from_tensor_slices((scaler.transform(x_train), y_train))
    data = data.shuffle(len(x_train), seed=SEED).batch(15)

    model = keras.Sequential([keras.layers.Dense(12, "relu"), keras.layers.Dense(3, "softmax")])
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    tell = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: log.info("epoch %d loss %.4f", epoch, logs["loss"])
    )
    model.fit(data, epochs=5, verbose=0, callbacks=[tell])
    _, accuracy = model.evaluate(scaler.transform(x_test), y_test, verbose=0)
    log.info("test accuracy %.3f", accuracy)
    model.save("iris.keras")


if __name__ == "__main__":
    main()
