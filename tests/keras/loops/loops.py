"""Small trainings, one in each style of loop, as users write them.

    python loops.py FOLDER STYLE …

A style that ends with `unseeded` starts from no seed.
"""

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

if not any(name.endswith("unseeded") for name in sys.argv):
    tf.config.experimental.enable_op_determinism()
draw = np.random.default_rng(0)
x = draw.random((96, 6), np.float32)
y = draw.integers(0, 3, 96)
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def network(name=None):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(8, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(3),
        ],
        name=name,
    )


def compiled(model, **settings):
    model.compile(**{"optimizer": keras.optimizers.SGD(0.01), "loss": LOSS, **settings})
    return model


def fit(**settings):
    model = compiled(network(), **settings)
    model.fit(x, y, epochs=2, batch_size=16, verbose=0)
    model.fit(x, y, epochs=1, batch_size=16, verbose=0)
    return model


def fit_with_all():
    """Adam, a metric, validation and prediction, which need be compiled only once."""
    model = compiled(network(), optimizer=keras.optimizers.Adam(0.01), metrics=["accuracy"])
    model.fit(x, y, epochs=2, batch_size=16, verbose=0, validation_data=(x[:32], y[:32]))
    model.predict(x, verbose=0)
    model.fit(x, y, epochs=1, batch_size=16, verbose=0)
    return model


def train_on_batch():
    model = compiled(network())
    for start in range(0, 96, 16):
        model.train_on_batch(x[start : start + 16], y[start : start + 16])
    return model


def own_train_step():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = network("inner")

        def call(self, inputs, training=False):
            return self.inner(inputs, training=training)

        def train_step(self, data):
            inputs, labels = data
            with tf.GradientTape() as tape:
                loss = LOSS(labels, self(inputs, training=True))
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
            return {"loss": loss}

    model = Own()
    model.compile(optimizer="sgd")
    model.fit(x, y, epochs=2, batch_size=16, verbose=0)
    return model


def loop(step, model):
    batches = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(96, seed=3).batch(16)
    for _ in range(2):
        for inputs, labels in batches:
            step(inputs, labels)
    return model


def step_of(model):
    optimizer = keras.optimizers.Adam(0.01)

    def step(inputs, labels):
        with tf.GradientTape() as tape:
            loss = LOSS(labels, model(inputs, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    return step


def function_loop():
    model = network()
    return loop(tf.function(step_of(model)), model)


def eager_loop():
    model = network()
    return loop(step_of(model), model)


def no_optimizer():
    weights = tf.Variable(tf.random.normal((6, 3)), name="weights")
    for start in range(0, 96, 16):
        with tf.GradientTape() as tape:
            loss = LOSS(y[start : start + 16], x[start : start + 16] @ weights)
        weights.assign_sub(0.1 * tape.gradient(loss, weights))
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
    model.layers[-1].kernel.assign(weights)
    return model


def gan():
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(6)], name="generator")
    judge = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)], name="judge")
    first, second = keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.01)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)

    @tf.function
    def train_step(real):
        noise = tf.random.normal((16, 2))
        with tf.GradientTape() as one, tf.GradientTape() as two:
            fake = generator(noise, training=True)
            told, true = judge(fake, training=True), judge(real, training=True)
            fooled = loss(tf.ones_like(told), told)
            caught = loss(tf.zeros_like(told), told) + loss(tf.ones_like(true), true)
        first.apply(
            one.gradient(fooled, generator.trainable_variables), generator.trainable_variables
        )
        second.apply(two.gradient(caught, judge.trainable_variables), judge.trainable_variables)

    first.build(generator.trainable_variables)
    second.build(judge.trainable_variables)
    for start in range(0, 96, 16):
        train_step(x[start : start + 16])
    return generator


def folds():
    for fold in range(2):
        model = compiled(network())
        held = np.arange(96) % 2 == fold
        model.fit(x[~held], y[~held], epochs=1, batch_size=16, verbose=0)
        model.evaluate(x[held], y[held], verbose=0)
    return model


STYLES = {
    "fit": fit_with_all,
    "several steps": lambda: fit(steps_per_execution=3),
    "jit": lambda: fit(jit_compile=True),
    "eagerly": lambda: fit(run_eagerly=True),
    "train_on_batch": train_on_batch,
    "own train_step": own_train_step,
    "tf.function": function_loop,
    "eager loop": eager_loop,
    "no optimizer": no_optimizer,
    "gan": gan,
    "folds": folds,
}
folder, *chosen = sys.argv[1:]
for name in chosen or STYLES:
    if not name.endswith("unseeded"):
        keras.utils.set_random_seed(7)
    weights = Path(folder, f"{name}.weights.h5")
    STYLES[name.removesuffix(" unseeded")]().save_weights(weights)
