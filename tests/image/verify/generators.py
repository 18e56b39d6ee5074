"""A training whose layers hold generators, beside generators that the recorder must not touch."""

import os

import numpy as np
import tensorflow as tf

LOOP, STEPS = os.environ["LOOP"], 6
keras = tf.keras
with tf.Graph().as_default():
    elsewhere = tf.random.Generator.from_seed(1)
if LOOP == "mirrored":
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
else:
    strategy = tf.distribute.get_strategy()


class Noise(keras.layers.Layer):
    """Adds noise from a generator of its own."""

    def __init__(self):
        super().__init__()
        self.generator = tf.random.Generator.from_seed(3)

    def call(self, inputs):
        return inputs + self.generator.normal(tf.shape(inputs)) / 10


x = np.random.rand(8 * STEPS, 8, 8, 1).astype("float32")
y = np.random.rand(8 * STEPS, 1).astype("float32")
with strategy.scope():
    augmented = [keras.layers.RandomFlip(), keras.layers.RandomRotation(0.1), Noise()]
    rest = [keras.layers.Flatten(), keras.layers.Dropout(0.2), keras.layers.Dense(1)]
    model = keras.Sequential([*augmented, *rest])
    model.compile("adam", "mse")
    optimizer = keras.optimizers.Adam()


@tf.function
def step(batch, truth):
    """One step of a loop written by hand."""
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(batch, training=True) - truth) ** 2)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))


if LOOP == "function":
    for at in range(0, len(x), 8):
        short_lived = tf.random.Generator.from_seed(at)
        step(x[at : at + 8], y[at : at + 8])
else:
    model.fit(x, y, 8, verbose=0)
