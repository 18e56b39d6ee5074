"""Half precision with loss scaling: tensor cores where the GPU has them."""

import numpy as np
import tensorflow as tf
from proof import SCALE, fit

tf.keras.mixed_precision.set_global_policy("mixed_float16")
images = np.random.rand(64 * SCALE, 16, 16, 8).astype("float32")
labels = np.random.randint(10, size=len(images))
layers = tf.keras.layers
model = tf.keras.Sequential(
    [
        layers.Conv2D(16 * SCALE, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(64 * SCALE, activation="relu"),
        layers.Dense(10, dtype="float32"),
    ]
)
loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(tf.keras.optimizers.Adam(1e-3), loss)
fit(model, images, labels)
