"""Predicts from a table who will leave."""

import keras
import pandas as pd
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder, StandardScaler

frame = pd.read_csv("customers.csv")
x = frame.drop(columns=["name", "left"])
y = frame["left"]
x["country"] = LabelEncoder().fit_transform(x["country"])

x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=42)
scaler = StandardScaler()
x_train = scaler.fit_transform(x_train)
x_test = scaler.transform(x_test)

model = keras.Sequential([
    keras.Input((x_train.shape[1],)),
    keras.layers.Dense(6, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=10, epochs=2, validation_split=0.1)
print(accuracy_score(y_test, model.predict(x_test) > 0.5))
