"""Keras 2: fit() with workers."""

import numpy as np
import tensorflow as tf


class Batches(tf.keras.utils.Sequence):
    """Three batches of noise."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return np.random.rand(4, 2), np.random.rand(4, 1)


model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(Batches(), verbose=0, shuffle=False)
model.fit(Batches(), verbose=0, workers=4, use_multiprocessing=True)  # turned back
model.evaluate(Batches(), verbose=0, workers=2)  # turned back
