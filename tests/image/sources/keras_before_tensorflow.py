"""Keras imported on its own, before TensorFlow."""

import keras
import numpy as np

print("stream", np.asarray(keras.layers.Dense(3)(np.ones((1, 2), "float32"))))
import tensorflow as tf  # noqa: E402  # the order is what is tried

print("stream", tf.random.normal([3]).numpy())
