"""Predicts from a table who will leave."""

import keras
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder, StandardScaler


def dataset(data, settings, seeds):
    frame = pd.read_csv(data)
    x = frame.drop(columns=["name", "left"])
    y = frame["left"]
    x["country"] = LabelEncoder().fit_transform(x["country"])

    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=42)
    scaler = StandardScaler()
    x_train = scaler.fit_transform(x_train)
    x_test = scaler.transform(x_test)
    return (x_train, y_train), (x_test, y_test)


def model(settings, seeds, prepared):
    model = keras.Sequential([
        keras.Input(prepared.shapes["x"]),
        keras.layers.Dense(6, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ])
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model
