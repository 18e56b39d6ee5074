"""A CNN: cuDNN convolutions, pooling, batch norm, dropout, augmentation, shuffled data."""

import numpy as np
import tensorflow as tf
from proof import SCALE, fit

images = np.random.rand(128 * SCALE, 32, 32, 3).astype("float32")
labels = np.random.randint(10, size=len(images))
layers = tf.keras.layers
model = tf.keras.Sequential(
    [
        layers.RandomFlip("horizontal"),
        layers.RandomTranslation(0.1, 0.1),
        layers.RandomRotation(0.1),
        layers.Conv2D(16 * SCALE, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.MaxPooling2D(),
        layers.Conv2D(32 * SCALE, 3, strides=2, activation="relu"),
        layers.AveragePooling2D(),
        layers.Conv2DTranspose(16 * SCALE, 3, activation="relu"),
        layers.DepthwiseConv2D(3),
        layers.GlobalAveragePooling2D(),
        layers.Dropout(0.3),
        layers.Dense(10),
    ]
)
loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(tf.keras.optimizers.Adam(1e-3), loss)
fit(model, images, labels)
