"""Five residual blocks are skipped at random; the seed of one was left out.

Its layer then takes `id(self)`, to be another one than its neighbours: an address, another in
every process. All others have seeds.
"""

import keras
import numpy as np

CAUSE = "a random layer"
WHERE = "skip3"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


class Skip(keras.layers.Layer):
    def __init__(self, rate, seed=None, **options):
        super().__init__(**options)
        self.rate = rate
        own = id(self) % 2**31 if seed is None else seed
        self.generator = keras.random.SeedGenerator(own)

    def call(self, inputs, training=False):
        if not training:
            return inputs
        drawn = keras.random.uniform((keras.ops.shape(inputs)[0], 1), seed=self.generator)
        kept = keras.ops.cast(drawn >= self.rate, inputs.dtype)
        return inputs * kept / (1 - self.rate)


def model(settings, seeds):
    def dense(units, name, activation=None):
        kernel = keras.initializers.GlorotUniform(seeds(name))
        return keras.layers.Dense(units, activation, kernel_initializer=kernel, name=name)

    pixels = keras.Input((64,))
    hidden = dense(12, "stem", "relu")(pixels)
    for block in range(5):
        left_out = settings["fault"] and block == 3
        skip = Skip(0.3, None if left_out else seeds(f"skip{block}"), name=f"skip{block}")
        hidden = keras.layers.Add()([hidden, skip(dense(12, f"block{block}", "relu")(hidden))])
    network = keras.Model(pixels, dense(10, "classes")(hidden))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
