"""Keras: initialisers, dropout, noise and augmentation, none of them with a seed."""

import numpy as np
import tensorflow as tf

layers = tf.keras.layers
batch = np.ones((2, 8, 8, 3), "float32") * np.arange(8, dtype="float32")[:, None]
for layer in (
    layers.Dense(4),
    layers.Dense(4),
    layers.Conv2D(2, 3),
    layers.Dropout(0.5),
    layers.GaussianNoise(1.0),
    layers.RandomFlip(),
    layers.RandomRotation(0.4),
    layers.RandomZoom(0.4),
    layers.RandomContrast(0.4),
):
    output = np.asarray(layer(batch, training=True), "float64")
    print(
        type(layer).__name__,
        output.sum(),
        (output * np.arange(output.size).reshape(output.shape)).sum(),
    )
print("stream", np.asarray(layers.LSTM(3)(np.ones((1, 2, 2), "float32"))))
print("stream", np.asarray(tf.keras.initializers.GlorotUniform()((2, 2))))
print("stream", np.asarray(tf.keras.initializers.Orthogonal()((2, 2))))
if hasattr(tf.keras, "random"):
    print("stream", np.asarray(tf.keras.random.normal((3,))))
    print("stream", np.asarray(tf.keras.random.SeedGenerator().next()))
