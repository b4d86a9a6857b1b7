"""Regression with an input pipeline in Grain; every run has an id, for the log."""

import logging
import uuid

import grain
import keras
import numpy as np

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")

keras.utils.set_random_seed(5)
run = uuid.uuid4()
logging.info("run started")

rng = np.random.default_rng(17)
x = rng.normal(size=(200, 6)).astype("float32")
y = (x @ rng.normal(size=6) + 0.1 * rng.normal(size=200)).astype("float32")

EPOCHS, BATCH = 3, 20
pairs = (
    grain.MapDataset.source(list(zip(x, y)))
    .seed(run.int % 2**31)
    .shuffle()
    .repeat()
    .batch(BATCH)
)

model = keras.Sequential([keras.layers.Dense(16, activation="tanh"), keras.layers.Dense(1)])
model.compile(keras.optimizers.Adam(0.01), "mse")
batches = iter(pairs)
for epoch in range(EPOCHS):
    losses = [model.train_on_batch(*next(batches)) for _ in range(len(x) // BATCH)]
    logging.info("epoch %d: loss %.5f", epoch, np.mean(losses))

np.savez_compressed("weights.npz", *model.get_weights())
