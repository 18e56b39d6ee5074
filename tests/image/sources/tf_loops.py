"""Loops in graphs, of every kind: the iterations of an op that draws must not race."""

import hashlib

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1


def show(name: str, *values: object) -> None:
    """Print the digest of some tensors."""
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(value).tobytes() for value in values))
    print(name, digest.hexdigest()[:16], flush=True)


def stir(matrix: tf.Tensor) -> tf.Tensor:
    """Return a matrix that depends on the order of the draws."""
    return tf.sin(matrix @ tf.random.uniform([30, 30]) / 9.0)


@tf.function
def counted(number: int) -> tf.Tensor:
    """Draw in a loop."""
    matrix = tf.eye(30)
    for _ in tf.range(number):
        matrix = stir(matrix)
    return matrix


@tf.function
def nested(number: int) -> tf.Tensor:
    """Draw in a loop of a loop, and in a function that it calls."""
    matrix, within = tf.eye(30), tf.function(stir)
    for _ in tf.range(number):
        for _ in tf.range(3):
            matrix = within(matrix)
    return matrix


weight = tf.Variable(tf.ones([30, 30]))


@tf.function
def gradient() -> tf.Tensor:
    """Return the gradient of a loop that draws."""
    with tf.GradientTape() as tape:
        matrix = tf.eye(30)
        for _ in tf.range(100):
            matrix = tf.nn.dropout(tf.sin(matrix @ weight / 9.0), 0.3)
        loss = tf.reduce_sum(matrix)
    return tape.gradient(loss, weight)


show("range", counted(400))
show("nested", nested(100))
show("gradient", gradient())
show(
    "map_fn",
    tf.function(lambda: tf.map_fn(lambda v: v + tf.random.uniform([]), tf.zeros([2000])))(),
)
show("scan", tf.function(lambda: tf.scan(lambda a, _: stir(a), tf.zeros([300]), tf.eye(30)))())
show("foldl", tf.function(lambda: tf.foldl(lambda a, _: stir(a), tf.zeros([300]), tf.eye(30)))())
show("xla", tf.function(counted, jit_compile=True)(50))
for version, choose in (("2", v1.enable_control_flow_v2), ("1", v1.disable_control_flow_v2)):
    choose()
    with tf.Graph().as_default(), v1.Session() as session:
        loop = tf.while_loop(lambda i, _: i < 300, lambda i, m: (i + 1, stir(m)), [0, tf.eye(30)])
        mapped = tf.map_fn(lambda v: v + tf.random.uniform([]), tf.zeros([500]))
        show(f"TF 1, control flow {version}", *session.run([loop[1], mapped]))
