"""A script that seeds itself gets exactly what it asked for: the same in every mode, off too."""

import random

import numpy as np
import tensorflow as tf

random.seed(7)
np.random.seed(7)
tf.random.set_seed(7)
print(random.random(), random.Random(3).random(), random.sample(range(99), 3))
print(np.random.rand(), np.random.default_rng(3).random(), np.random.RandomState(3).rand())
print(tf.random.normal([2]).numpy(), tf.random.Generator.from_seed(3).normal([2]).numpy())
print(np.asarray(tf.keras.layers.Dense(3)(np.ones((1, 2), "float32"))))
tf.keras.utils.set_random_seed(9)
print(np.asarray(tf.keras.layers.Dense(3)(np.ones((1, 2), "float32"))))
print(list(tf.data.Dataset.range(9).shuffle(9).as_numpy_iterator()))
