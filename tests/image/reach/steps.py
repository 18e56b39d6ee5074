"""Some steps of a small network with convolutions, and which of the image's variables are left."""

import hashlib
import os

import numpy as np
import tensorflow as tf

layers = tf.keras.layers
images = np.random.rand(64, 16, 16, 3).astype("float32")
labels = np.random.randint(0, 10, 64)
model = tf.keras.Sequential(
    [
        layers.Conv2D(32, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.Conv2D(32, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(256, activation="relu"),
        layers.Dense(10),
    ]
)
model.compile("sgd", tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(images, labels, batch_size=32, epochs=5, verbose=0)
weights = b"".join(np.ascontiguousarray(each).tobytes() for each in model.get_weights())
print(hashlib.sha256(weights).hexdigest())
print(*(name for name in ("TF_NUM_INTRAOP_THREADS", "TF_ENABLE_ONEDNN_OPTS") if name in os.environ))
