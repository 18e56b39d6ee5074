"""A transformer's encoder block: embedding, attention, layer norm, dropout."""

import numpy as np
import tensorflow as tf
from proof import SCALE, fit

tokens = np.random.randint(1000, size=(128 * SCALE, 24))
labels = np.random.randint(2, size=len(tokens))
layers = tf.keras.layers
width = 32 * SCALE
inputs = layers.Input((24,), dtype="int32")
embedded = layers.Embedding(1000, width)(inputs)
attended = layers.MultiHeadAttention(4, width // 4, dropout=0.1)(embedded, embedded)
normed = layers.LayerNormalization()(embedded + attended)
hidden = layers.Dense(4 * width, activation="gelu")(normed)
output = layers.Dropout(0.1)(layers.Dense(width)(hidden))
block = layers.LayerNormalization()(normed + output)
logits = layers.Dense(2)(layers.GlobalAveragePooling1D()(block))
model = tf.keras.Model(inputs, logits)
loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(tf.keras.optimizers.Adam(1e-3), loss)
fit(model, tokens, labels)
