"""tf.data: shuffles, parallel maps that draw, interleave, and Python in the pipeline."""

import random

import numpy as np
import tensorflow as tf


def elements() -> "object":
    """Yield numbers that Python and NumPy draw."""
    for _ in range(4):
        yield random.random() + np.random.rand()


numbers = tf.data.Dataset.range(40)
shuffled = numbers.shuffle(40)
print("stream", list(shuffled.as_numpy_iterator()))
print("stream", list(shuffled.as_numpy_iterator()))
drawing = numbers.map(lambda x: tf.random.uniform([]), num_parallel_calls=tf.data.AUTOTUNE)
print("stream", list(drawing.as_numpy_iterator()))
print("stream", list(tf.data.Dataset.random().take(3).as_numpy_iterator()))
from_python = tf.data.Dataset.from_generator(elements, output_types=tf.float64)
print("stream", list(from_python.as_numpy_iterator()))
python = numbers.map(
    lambda x: tf.numpy_function(lambda: np.random.rand(), [], tf.float64),
    num_parallel_calls=tf.data.AUTOTUNE,
)
print("stream", list(python.as_numpy_iterator()))
nested = numbers.interleave(
    lambda x: tf.data.Dataset.range(3).map(lambda y: 10 * x + y),
    num_parallel_calls=tf.data.AUTOTUNE,
)
print("stream", list(nested.as_numpy_iterator()))
