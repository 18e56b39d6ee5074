"""A small training that parts where PART says, by the system's own entropy; LOOP says how it runs.

It is what a user could have written: it imports nothing of ours.
"""

import os

import numpy as np
import tensorflow as tf

PART, LOOP = os.environ.get("PART", ""), os.environ.get("LOOP", "fit")
keras = tf.keras
chance = np.frombuffer(os.urandom(4), np.uint32)[0]
# So many that two runs hardly meet, in units of a float's last place.
few = 1 + chance % 2**16


def noise(tensor):
    """Return `tensor`, a little off, by chance."""

    def off(value):
        return value * np.float32(1 + few * 2**-23)

    out = tf.numpy_function(off, [tensor], tensor.dtype)
    out.set_shape(tensor.shape)
    return out


@tf.custom_gradient
def noisy_backward(tensor):
    """Return `tensor`; its gradient is noisy."""
    return tf.identity(tensor), noise


class Forward(keras.layers.Layer):
    """Does nothing, or is noisy in one of the two directions."""

    def call(self, inputs):
        if PART == "loss":
            return inputs + tf.stop_gradient(noise(inputs) - inputs)
        return noisy_backward(inputs) if PART == "gradients" else inputs


class Optimizer(keras.optimizers.SGD):
    """SGD that misses a little."""

    def update_step(self, gradient, variable, *rest):
        super().update_step(noise(gradient) if PART == "optimiser" else gradient, variable, *rest)


x = np.random.rand(48, 6).astype("float32")
y = np.random.rand(48, 1).astype("float32")
if PART == "order":
    order = np.random.RandomState(chance).permutation(len(x))
    x, y = x[order], y[order]
if PART == "content":
    x = x + np.float32(few * 2**-20)
if LOOP == "mirrored":
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
else:
    strategy = tf.distribute.get_strategy()
start = chance if PART == "initial" else 7
glorot = keras.initializers.GlorotUniform
with strategy.scope():
    model = keras.Sequential(
        [
            keras.layers.Dense(4, activation="tanh", kernel_initializer=glorot(start)),
            Forward(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(1, kernel_initializer=glorot(8)),
        ]
    )
    optimizer = Optimizer(0.1)
loss_of = keras.losses.MeanSquaredError()


def step(batch, truth):
    """Return the loss of one step of a loop written by hand."""
    with tf.GradientTape() as tape:
        loss = loss_of(truth, model(batch, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


if LOOP in {"fit", "several", "xla", "mirrored"}:
    options = {"several": {"steps_per_execution": 3}, "xla": {"jit_compile": True}}
    with strategy.scope():
        model.compile(optimizer, "mse", **options.get(LOOP, {}))
    model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
elif LOOP == "batch":
    model.compile(optimizer, loss_of)
    for at in range(0, 48, 8):
        model.train_on_batch(x[at : at + 8], y[at : at + 8])
else:
    model.build((None, 6))
    optimizer.build(model.trainable_variables)
    run = tf.function(step) if LOOP == "function" else step
    for at in range(0, 48, 8):
        run(tf.constant(x[at : at + 8]), tf.constant(y[at : at + 8]))
np.save("weights.npy", np.concatenate([one.ravel() for one in model.get_weights()]))
