"""Batch normalisation is called with training=True wherever the model runs.

(unifyai/ivy #15957, AntreasAntoniou/HowToTrainYourMAMLPytorch #3: asking for a prediction moves
the averages.)
"""

import keras
import numpy as np

MISTAKE = "evaluation that changes weights"


def dataset(data, settings, seeds):
    table = np.loadtxt(data, delimiter=",", dtype="float32")
    return {"x": table[:, :-1] / 16, "y": table[:, -1].astype("int32")}


class Classifier(keras.Model):
    def __init__(self, start, always):
        super().__init__()
        self.start, self.always = start, always
        self.normal = keras.layers.BatchNormalization()
        kernel = keras.initializers.GlorotUniform(start)
        self.classes = keras.layers.Dense(10, kernel_initializer=kernel)

    def call(self, inputs, training=False):
        return self.classes(self.normal(inputs, training=self.always or training))

    def get_config(self):
        return {"start": self.start, "always": self.always}


def model(settings, seeds):
    network = Classifier(seeds("classes"), settings["fault"])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network
