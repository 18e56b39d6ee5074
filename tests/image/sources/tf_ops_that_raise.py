"""Ops that raise under determinism although the global seed is set."""

import time

import tensorflow as tf

box = tf.constant([[[0.0, 0.0, 1.0, 1.0]]])
for _ in range(3):
    drawn = tf.image.sample_distorted_bounding_box([1000, 1000, 3], box, min_object_covered=0.1)
    print("stream", drawn[0].numpy(), drawn[1].numpy())
values = tf.reshape(tf.range(900, dtype=tf.float32), [1, 30, 30, 1])
for pool in (tf.nn.fractional_max_pool, tf.nn.fractional_avg_pool):
    for _ in range(2):
        print("stream", pool(values, [1.0, 1.4, 1.4, 1.0])[1].numpy())
assert abs(tf.timestamp().numpy() - time.time()) < 60
assert abs(tf.function(tf.timestamp)().numpy() - time.time()) < 60
