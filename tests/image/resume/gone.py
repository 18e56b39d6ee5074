"""Trains models that nobody keeps, in fits that end and in fits that raise; prints which are left.

Whatever follows a training to resume it must not keep its models: a search makes a thousand.
"""

import contextlib
import gc
import json
import weakref

import tensorflow as tf


class StopError(Exception):
    """Ends a fit amid its epoch."""


class Stop(tf.keras.callbacks.Callback):
    """Raises at the first step."""

    def on_train_batch_end(self, batch, logs=None):
        raise StopError


def train(*callbacks):
    layers = [tf.keras.Input((4,)), tf.keras.layers.Dense(2), tf.keras.layers.Dropout(0.5)]
    model = tf.keras.Sequential(layers)
    model.compile("sgd", "mse")
    data = tf.data.Dataset.from_tensor_slices((tf.ones((8, 4)), tf.ones((8, 2)))).shuffle(8)
    with contextlib.suppress(StopError):
        model.fit(data.batch(2), verbose=0, callbacks=list(callbacks))
    return weakref.ref(model)


def function():
    @tf.function
    def draw(x):
        return x + tf.random.normal([])

    draw(tf.ones([3]))
    return weakref.ref(draw.get_concrete_function(tf.ones([3])).graph)


def data():
    drawn = tf.data.Dataset.range(3).map(lambda _: tf.random.normal([]))
    list(drawn)
    return weakref.ref(drawn._map_func.function.graph)


tf.train.Checkpoint()  # from here on, functions are traced for whoever saves
made = [train(), train(), train(Stop()), train(Stop()), function(), data()]
train()
tf.keras.backend.clear_session()
gc.collect()
print(json.dumps([one() is not None for one in made]))
