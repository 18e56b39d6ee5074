"""Sums into rows that repeat: embeddings, segment sums and scatter, in a hand-written loop."""

import time

import numpy as np
import tensorflow as tf
from proof import SCALE, report

ROWS, WIDTH, IDS = 50, 16 * SCALE, 512 * SCALE
table = tf.Variable(tf.random.normal([ROWS, WIDTH]))
kernel = tf.Variable(tf.random.normal([WIDTH, 1]))
optimizer = tf.keras.optimizers.Adagrad(0.05)


@tf.function
def step(ids, segments, target):
    with tf.GradientTape() as tape:
        rows = tf.nn.embedding_lookup(table, ids)
        sums = tf.math.unsorted_segment_sum(rows, ids % 7, 7)
        means = tf.math.segment_mean(rows, segments)
        scattered = tf.tensor_scatter_nd_add(tf.zeros([ROWS, WIDTH]), ids[:, None], rows)
        weights = tf.stop_gradient(rows[:, 0])  # counting has no gradient
        counted = tf.math.bincount(ids, weights=weights, minlength=ROWS, maxlength=ROWS)
        value = tf.reduce_sum(sums) + tf.reduce_sum(means) + tf.reduce_sum(scattered @ kernel)
        loss = tf.square(value / IDS + tf.reduce_mean(counted) - target)
    gradients = tape.gradient(loss, [table, kernel])
    optimizer.apply_gradients(zip(gradients, [table, kernel], strict=True))
    return loss


losses, seconds = [], []
for _ in range(20):
    ids = tf.constant(np.random.randint(ROWS, size=IDS), tf.int32)
    segments = tf.constant(np.sort(np.random.randint(9, size=IDS)), tf.int32)
    started = time.perf_counter()
    losses.append(float(step(ids, segments, np.float32(np.random.rand()))))
    seconds.append(time.perf_counter() - started)
report([table.numpy(), kernel.numpy()], losses, seconds)
