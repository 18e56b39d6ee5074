"""A model that XLA compiles. It pools by averages: under determinism XLA has no gradient of max."""

import numpy as np
import tensorflow as tf
from proof import SCALE, fit

images = np.random.rand(64 * SCALE, 16, 16, 8).astype("float32")
labels = np.random.randint(10, size=len(images))
layers = tf.keras.layers
model = tf.keras.Sequential(
    [
        layers.Conv2D(16 * SCALE, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.AveragePooling2D(),
        layers.Flatten(),
        layers.Dropout(0.2),
        layers.Dense(64 * SCALE, activation="relu"),
        layers.Dense(10),
    ]
)
loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(tf.keras.optimizers.Adam(1e-3), loss, jit_compile=True)
fit(model, images, labels)
