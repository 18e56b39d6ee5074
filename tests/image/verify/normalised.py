"""A few steps of a small network that normalises its batches, quick even where it is emulated."""

import numpy as np
import tensorflow as tf

layers = tf.keras.layers
examples = np.random.rand(16, 8).astype("float32")
labels = np.random.randint(0, 4, 16)
model = tf.keras.Sequential(
    [layers.Dense(16, activation="relu"), layers.BatchNormalization(), layers.Dense(4)]
)
model.compile("sgd", tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(examples, labels, batch_size=8, epochs=2, verbose=0)
