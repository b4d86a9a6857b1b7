"""Tells images apart that lie in a folder for each class."""

import keras
import tensorflow as tf
from keras import layers

size = (12, 12)

train, validation = keras.utils.image_dataset_from_directory(
    "images",
    validation_split=0.25,
    subset="both",
    seed=1,
    image_size=size,
    batch_size=16,
)

changes = [layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)]


def changed(images):
    for layer in changes:
        images = layer(images)
    return images


train = train.map(lambda images, labels: (changed(images), labels))
train, validation = train.prefetch(tf.data.AUTOTUNE), validation.prefetch(tf.data.AUTOTUNE)

model = keras.Sequential([
    keras.Input((*size, 3)),
    layers.Rescaling(1 / 255),
    layers.Conv2D(8, 3, activation="relu"),
    layers.GlobalAveragePooling2D(),
    layers.Dense(1),
])
model.compile(
    keras.optimizers.Adam(0.01),
    keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy(name="accuracy")],
)
model.fit(train, epochs=2, validation_data=validation)
