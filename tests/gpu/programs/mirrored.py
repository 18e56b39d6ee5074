"""MirroredStrategy over all GPUs that there are: the order of its reduction decides bits."""

import numpy as np
import tensorflow as tf
from proof import SCALE, fit

images = np.random.rand(128 * SCALE, 16, 16, 3).astype("float32")
labels = np.random.randint(10, size=len(images))
strategy = tf.distribute.MirroredStrategy()
with strategy.scope():
    layers = tf.keras.layers
    model = tf.keras.Sequential(
        [
            layers.Conv2D(16 * SCALE, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(64 * SCALE, activation="relu"),
            layers.Dense(10),
        ]
    )
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(tf.keras.optimizers.SGD(1e-2, momentum=0.9), loss)
fit(model, images, labels, batch=16 * strategy.num_replicas_in_sync)
