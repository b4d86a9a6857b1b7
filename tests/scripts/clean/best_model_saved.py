"""A small convolutional network; the best model is kept and loaded again."""

import argparse
import datetime
import pathlib

import keras
import numpy as np
import tensorflow as tf


def parsed():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=19)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("out"))
    return parser.parse_args()


def digits(path):
    table = np.genfromtxt(path, delimiter=",")
    return table[:, :64].reshape(-1, 8, 8, 1) / 16.0, table[:, 64].astype(int)


def network():
    image = keras.Input((8, 8, 1))
    h = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(image)
    h = keras.layers.BatchNormalization()(h)
    h = keras.layers.SpatialDropout2D(0.1)(h)
    h = keras.layers.GlobalAveragePooling2D()(h)
    return keras.Model(image, keras.layers.Dense(10)(h))


if __name__ == "__main__":
    args = parsed()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    keras.utils.set_random_seed(args.seed)
    tf.config.experimental.enable_op_determinism()
    args.out.mkdir(exist_ok=True)

    x, y = digits("digits.csv")
    fit, check = (x[:150], y[:150]), (x[150:], y[150:])
    batches = tf.data.Dataset.from_tensor_slices(fit).shuffle(150, seed=args.seed).batch(15)

    model = network()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    keep = keras.callbacks.ModelCheckpoint(args.out / "best.keras", save_best_only=True)
    model.fit(batches, validation_data=check, epochs=args.epochs, callbacks=[keep], verbose=1)

    best = keras.models.load_model(args.out / "best.keras")
    _, accuracy = best.evaluate(*check, verbose=0)
    print(f"[{datetime.datetime.now().isoformat()}] best validation accuracy: {accuracy:.3f}")
