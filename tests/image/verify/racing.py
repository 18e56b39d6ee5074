"""A training whose step draws in a loop: where nobody takes one iteration at a time, they race."""

import os
import time

import numpy as np
import tensorflow as tf

N = 100
tf.config.threading.set_inter_op_parallelism_threads(8)
tf.random.set_seed(7)
weights = tf.Variable(tf.ones([N]))
optimizer = tf.keras.optimizers.SGD(0.01)


def wait(one):
    """Return `one` after up to four milliseconds, so that whoever is first is so by chance."""
    time.sleep(os.urandom(1)[0] * 16e-6)
    return np.float32(one)


def noisy(one):
    """Return `one` with noise, which waits for something else."""
    waited = tf.numpy_function(wait, [one], tf.float32, stateful=False)
    with tf.control_dependencies([waited]):
        return one + tf.random.normal([])


@tf.function
def step(x):
    with tf.GradientTape() as tape:
        noise = tf.map_fn(noisy, x)
        loss = tf.reduce_sum(weights * noise)
    gradients = tape.gradient(loss, [weights])
    optimizer.apply_gradients(zip(gradients, [weights], strict=True))
    return loss


for number in range(10):
    step(tf.fill([N], float(number)))
