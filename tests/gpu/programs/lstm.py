"""Recurrent layers in the form that cuDNN takes over: LSTM, bidirectional, and GRU."""

import numpy as np
import tensorflow as tf
from proof import SCALE, fit

series = np.random.rand(128 * SCALE, 20, 8).astype("float32")
targets = series.mean(axis=(1, 2)) + np.random.normal(0, 0.1, len(series)).astype("float32")
layers = tf.keras.layers
model = tf.keras.Sequential(
    [
        layers.Bidirectional(layers.LSTM(16 * SCALE, return_sequences=True)),
        layers.GRU(16 * SCALE),
        layers.Dense(1),
    ]
)
model.compile(tf.keras.optimizers.Adam(1e-2), "mse")
fit(model, series, targets)
