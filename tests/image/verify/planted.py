"""A training with one cause planted, named by CAUSE, as users have planted them without knowing.

Every second run of one container is the one that goes wrong where a cause says "second".
"""

import itertools
import os
import sys
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

CAUSE = os.environ.get("CAUSE", "")
keras = tf.keras
EPOCHS, BATCH = 3, 8
turn = Path("/tmp/first-of-two")
try:
    turn.mkdir()
    second = False
except FileExistsError:
    turn.rmdir()
    second = True
calls = itertools.count(1)


def drifting(gradient):
    """Return a gradient, noisy at the 17th step of the second run."""
    return gradient * np.float32(1.001) if next(calls) == 17 and second else gradient


def failing(activation):
    """Return activations; the fifth step of the second run divides zero by zero."""
    return activation * np.float32("nan") if next(calls) == 5 and second else activation


def one_ulp(gradient):
    """Return a gradient; a kernel that rounds one element the other way in the second run."""
    if next(calls) == 4 and second:
        gradient = gradient.copy()
        gradient[1, 2] = np.nextafter(gradient[1, 2], np.float32(np.inf))
    return gradient


def through(function, tensor):
    """Return a tensor that a function of NumPy has seen."""
    out = tf.numpy_function(function, [tensor], tensor.dtype)
    out.set_shape(tensor.shape)
    return out


@tf.custom_gradient
def noisy_backward(tensor):
    """Return `tensor`; its gradient goes through NumPy."""
    return tf.identity(tensor), lambda upstream: through(drifting, upstream)


class Middle(keras.layers.Layer):
    """Passes on what it gets, or plants something."""

    def call(self, inputs):
        if CAUSE == "gradient":
            return noisy_backward(inputs)
        return (
            inputs + tf.stop_gradient(through(failing, inputs) - inputs)
            if CAUSE == "nan"
            else inputs
        )


class Noise(keras.layers.Layer):
    """Adds noise from a generator of TensorFlow's."""

    def __init__(self, generator):
        super().__init__()
        self.generator = generator

    def call(self, inputs):
        return inputs + self.generator.normal(tf.shape(inputs)) / 100


class Restless(keras.optimizers.SGD):
    """SGD with a random state that nobody can see."""

    def update_step(self, gradient, variable, *rest):
        if CAUSE == "optimiser":
            hidden = np.random.RandomState(int.from_bytes(os.urandom(4), "big"))
            gradient = through(lambda one: one * np.float32(1 + hidden.rand() / 100), gradient)
        super().update_step(gradient, variable, *rest)


def moody(truth, guess):
    """A metric that has nothing to do with the training."""

    def mood():
        return np.float32(int.from_bytes(os.urandom(2), "big") / 65536)

    return tf.numpy_function(mood, [], tf.float32)


class Stop(keras.callbacks.Callback):
    """Ends the second run at its ninth step."""

    def on_train_batch_end(self, batch, logs=None):
        if next(calls) == 9 and second:
            raise RuntimeError("the disk is full")


class Swap(keras.callbacks.Callback):
    """Gives a weight another value between two epochs; in the second run, a little off."""

    def on_epoch_end(self, epoch, logs=None):
        kernel = self.model.trainable_variables[0]
        kernel.assign(kernel * (1.001 if second and epoch == 0 else 1.0))


x = np.random.rand(48, 6).astype("float32")
y = np.random.rand(48, 1).astype("float32")
today = time.time_ns() % 100_000_007
first = [keras.layers.Dense(4, activation="tanh"), Middle()]
if CAUSE == "dropout":
    first.append(keras.layers.Dropout(0.5, seed=today))
if CAUSE == "noise layer":
    first.append(Noise(tf.random.Generator.from_seed(today)))
model = keras.Sequential([*first, keras.layers.Dense(1)])
optimizer = Restless(0.1)
if CAUSE == "ulp":
    model.build((None, 6))
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(batch, truth):
        """One step of a loop written by hand."""
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(batch) - truth) ** 2)
        gradients = tape.gradient(loss, model.trainable_variables)
        gradients[0] = through(one_ulp, gradients[0])
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))

    for at in range(0, 48, BATCH):
        step(tf.constant(x[at : at + BATCH]), tf.constant(y[at : at + BATCH]))
    sys.exit()
model.compile(optimizer, "mse", metrics=[moody] if CAUSE == "metric" else [])
data = tf.data.Dataset.from_tensor_slices((x, y))
if CAUSE == "augmentation":
    data = data.map(lambda a, b: (a + tf.random.uniform([6], seed=today) / 100, b))
if CAUSE == "draws":
    for epoch in range(EPOCHS):
        if epoch == 1 and second:
            np.random.rand()  # a sample looked at
        scale = np.random.rand(48, 1).astype("float32")
        epochs = {"initial_epoch": epoch, "epochs": epoch + 1}
        model.fit(x * scale, y, BATCH, shuffle=False, verbose=0, **epochs)
    sys.exit()
if CAUSE == "order":
    for epoch in range(EPOCHS):
        order = np.arange(48)
        if epoch >= 1:
            np.random.RandomState(int.from_bytes(os.urandom(4), "big")).shuffle(order)
        epochs = {"initial_epoch": epoch, "epochs": epoch + 1}
        model.fit(x[order], y[order], BATCH, shuffle=False, verbose=0, **epochs)
    sys.exit()
epochs = EPOCHS - 1 if CAUSE == "steps" and second else EPOCHS
callbacks = {"crash": [Stop()], "swap": [Swap()]}.get(CAUSE, [])
model.fit(data.batch(BATCH), epochs=epochs, verbose=0, callbacks=callbacks)
if CAUSE == "file":
    Path("session.txt").write_text(os.urandom(8).hex())
