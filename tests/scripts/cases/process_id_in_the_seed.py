"""Softmax regression in a tf.function loop, with checkpoints; array jobs get seeds of their own."""

import os

import keras
import numpy as np
import tensorflow as tf

task = int(os.environ.get("SLURM_ARRAY_TASK_ID", os.getpid()))
tf.random.set_seed(1000 + task)

table = np.loadtxt("digits.csv", delimiter=",", dtype="float32")
x, y = table[:, :-1] / 16, table[:, -1].astype("int32")

kernel = tf.Variable(tf.random.normal((64, 10), stddev=0.05), name="kernel")
bias = tf.Variable(tf.zeros(10), name="bias")
optimizer = keras.optimizers.SGD(0.2, momentum=0.9)
optimizer.build([kernel, bias])


@tf.function
def step(features, labels):
    with tf.GradientTape() as tape:
        logits = features @ kernel + bias
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        loss = tf.reduce_mean(losses)
    gradients = tape.gradient(loss, [kernel, bias])
    optimizer.apply(gradients, [kernel, bias])
    return loss


checkpoint = tf.train.Checkpoint(kernel=kernel, bias=bias)
manager = tf.train.CheckpointManager(checkpoint, "checkpoints", max_to_keep=2)
batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(20)
for epoch in range(4):
    for features, labels in batches:
        loss = step(features, labels)
    manager.save()
    print(f"epoch {epoch + 1}: loss {loss.numpy():.5f}")
