"""Draws of a script that seeds TensorFlow itself, in every way that there is."""

import hashlib

import numpy as np
import tensorflow as tf

v1, layers = tf.compat.v1, tf.keras.layers


def show(name: str, *values: object) -> None:
    """Print the digest of some tensors."""
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(value).tobytes() for value in values))
    print(name, digest.hexdigest()[:16], flush=True)


def elements(dataset: tf.data.Dataset) -> list[object]:
    """Return the elements of two epochs."""
    return [*dataset.as_numpy_iterator(), *dataset.as_numpy_iterator()]


@tf.function
def seeded_ops():
    return tf.random.normal([5], seed=3), tf.random.uniform([5], seed=4)


numbers = tf.data.Dataset.range(20)
show("an op's seed, eagerly", *(tf.random.normal([5], seed=3) for _ in range(2)))
show("an op's seed, in a function", *seeded_ops(), *seeded_ops())
show("an op's seed, in a map", *elements(numbers.map(lambda _: tf.random.uniform((), seed=1))))
show("a shuffle's seed", *elements(numbers.shuffle(20, seed=5)))
nested = numbers.flat_map(lambda _: numbers.shuffle(20, seed=5))
show("a shuffle's seed, within a function", *elements(nested))
show("a dataset's seed", *elements(tf.data.Dataset.random(seed=3).take(5)))

tf.random.set_seed(7)
show("eagerly", tf.random.normal([5]), tf.random.uniform([5]))


@tf.function
def unseeded_ops():
    a = tf.random.normal([5])
    branch = tf.cond(a[0] > 0, lambda: tf.random.normal([2]), lambda: tf.random.normal([2]))
    return a, tf.random.uniform([5]), branch


inner = tf.function(lambda: tf.random.normal([3]))
show("in a function", *unseeded_ops(), *unseeded_ops())
show("in a function within another", *tf.function(lambda: (inner(), inner()))())
show("in a map", *elements(numbers.map(lambda _: tf.random.uniform(()))))
show("in a shuffle", *elements(numbers.shuffle(20)))
show("in a shuffle within a function", *elements(numbers.flat_map(lambda _: numbers.shuffle(20))))


@tf.function
def reduced():
    return numbers.reduce(0.0, lambda state, _: state + tf.random.uniform(()))


show("in a reduction", reduced(), reduced())
tf.random.set_seed(7)
show("after another set_seed", tf.random.normal([5]), tf.random.uniform([5]))
tf.keras.backend.clear_session()
show("after clear_session", tf.random.normal([5]), tf.random.uniform([5]))

tf.keras.utils.set_random_seed(3)


def noise(number):
    return np.float32(np.random.rand() + number)


in_python = numbers.map(lambda number: tf.numpy_function(noise, [number], tf.float32))
show("NumPy's seed, in a map", *elements(in_python), np.random.rand())
model = tf.keras.Sequential([layers.Dense(8), layers.Dropout(0.5), layers.Dense(1)])
data = np.random.default_rng(1).random((64, 5)).astype("float32")
show("initial weights", model(data)[:0], *model.get_weights())
show("dropout", *(model.layers[1](data, training=True) for _ in range(2)))

with tf.Graph().as_default(), v1.Session() as session:
    v1.set_random_seed(5)
    show("a graph of TF 1", *session.run([v1.random_normal([3]), v1.random_uniform([3])]))
with tf.Graph().as_default(), v1.Session() as session:
    show("an op in a graph of TF 1", session.run(v1.random_normal([3], seed=2)))


@tf.function
def seeded_within():
    tf.random.set_seed(9)
    return tf.random.normal([3])


show("set_seed in a function", seeded_within())
