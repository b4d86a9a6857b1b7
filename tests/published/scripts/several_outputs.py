"""Rates letters and sends them to a desk, from their words and their marks."""

import keras
import numpy as np
from keras import layers

words, marks, desks = 50, 4, 3

text = np.random.randint(words, size=(120, 6))
marked = np.random.randint(2, size=(120, marks)).astype("float32")
urgent = np.random.random(size=(120, 1))
desk = np.eye(desks)[np.random.randint(desks, size=120)]

text_input = keras.Input((None,), name="text")
marks_input = keras.Input((marks,), name="marks")
x = layers.LSTM(4)(layers.Embedding(words, 4)(text_input))
x = layers.concatenate([x, marks_input])
outputs = [layers.Dense(1, name="urgent")(x), layers.Dense(desks, name="desk")(x)]
model = keras.Model([text_input, marks_input], outputs)
model.compile(
    keras.optimizers.RMSprop(0.01),
    loss={
        "urgent": keras.losses.BinaryCrossentropy(from_logits=True),
        "desk": keras.losses.CategoricalCrossentropy(from_logits=True),
    },
    loss_weights={"urgent": 1.0, "desk": 0.2},
)
model.fit(
    {"text": text, "marks": marked}, {"urgent": urgent, "desk": desk}, epochs=2, batch_size=32
)
