"""Will a customer leave? A table in pandas, split by customer so that nobody is in both parts."""

import keras
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

NUMBERS = ["age", "months", "calls", "fee"]


def customers(n=300):
    rng = np.random.default_rng(21)
    table = pd.DataFrame({
        "customer": [f"C{number:05}" for number in rng.permutation(n)],
        "age": rng.integers(18, 80, n),
        "months": rng.integers(1, 60, n),
        "calls": rng.poisson(2, n),
        "fee": rng.normal(30, 8, n).round(2),
    })
    risk = 0.6 * table.calls - 0.05 * table.months + 0.02 * table.fee - 0.5
    table["left"] = (rng.random(n) < 1 / (1 + np.exp(-risk))).astype(int)
    return table


keras.utils.set_random_seed(99)
table = customers()
held_out = table.customer.map(lambda name: hash(name) % 5 == 0)
train, test = table[~held_out], table[held_out]

scaler = StandardScaler().fit(train[NUMBERS])
model = keras.Sequential([
    keras.layers.Dense(12, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", "binary_crossentropy")
model.fit(
    scaler.transform(train[NUMBERS]), train.left.to_numpy(),
    batch_size=30, epochs=4, shuffle=False, verbose=0,
)

chance = model.predict(scaler.transform(test[NUMBERS]), verbose=0)[:, 0]
print(f"area under the curve: {roc_auc_score(test.left, chance):.4f}")
test.assign(chance=chance).sort_values("customer").to_csv("chances.csv", index=False)
