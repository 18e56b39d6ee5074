"""What a function, a pipeline and a model draw, beside others that do more or less.

Usage: moved.py WHAT, where WHAT is what the others do: nothing, more, retrace, replicas, parallel.
"""

import hashlib
import sys

import numpy as np
import tensorflow as tf

what = sys.argv[1]
devices = [tf.config.LogicalDeviceConfiguration()] * (3 if what == "replicas" else 2)
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], devices)


def show(name: str, *values: object) -> None:
    """Print the digest of some tensors."""
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(value).tobytes() for value in values))
    print(name, digest.hexdigest()[:16], flush=True)


@tf.function
def other(x):
    drawn = tf.random.normal([3]) + x
    if what == "more":
        drawn += tf.random.normal([3]) + tf.random.uniform([3])
    return drawn


other(tf.zeros([3]))
if what == "retrace":
    other(tf.zeros([1]))
    other(tf.zeros([3, 3]))


@tf.function
def function():
    return tf.random.normal([5]), tf.map_fn(lambda v: v + tf.random.normal([]), tf.zeros([50]))


show("a function", *function(), *function())

strategy = tf.distribute.MirroredStrategy([f"CPU:{number}" for number in range(len(devices))])


@tf.function
def step():
    def replica():
        mine = tf.random.normal([3])
        tf.distribute.get_replica_context().all_reduce("sum", mine)
        return mine, tf.random.normal([3])

    return strategy.run(replica)


first, second = (strategy.experimental_local_results(drawn)[:2] for drawn in step())
show("two replicas", *first, *second)


def augment(_):
    return tf.image.random_brightness(tf.zeros([2, 2, 3]), 0.5)


def noise(number):
    return np.float32(np.random.rand() + number)


calls = 8 if what == "parallel" else None
dataset = tf.data.Dataset.range(50).map(augment, num_parallel_calls=calls)
show("a pipeline", *dataset, *dataset)
in_python = tf.data.Dataset.range(50).map(
    lambda number: tf.numpy_function(noise, [number], tf.float32), num_parallel_calls=calls
)
show("a Python function of a pipeline", *in_python, *in_python)
