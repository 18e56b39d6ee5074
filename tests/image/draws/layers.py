"""Pairs of draws of Keras' layers and models."""

import numpy as np
import tensorflow as tf
from pairs import N, pair

keras, layers = tf.keras, tf.keras.layers
KERAS_3 = hasattr(keras, "KerasTensor") and hasattr(keras, "ops")


@pair
def layers_that_are_traced_apart():
    drops = [layers.Dropout(0.5), layers.Dropout(0.5)]
    calls = [tf.function(lambda x, drop=drop: drop(x, training=True)) for drop in drops]
    return tuple(call(tf.ones([4 * N])) for call in calls)


@pair
def two_layers_of_a_model():
    inputs = keras.Input([4 * N])
    outputs = [layers.Dropout(0.5)(inputs), layers.Dropout(0.5)(inputs)]
    model = keras.Model(inputs, outputs)
    return tuple(tf.function(lambda x: model(x, training=True))(tf.ones([1, 4 * N])))


@pair
def dropout_in_two_passes():
    model = keras.Sequential([keras.Input([4 * N]), layers.Dropout(0.5)])
    return tuple(model(tf.ones([1, 4 * N]), training=True) for _ in range(2))


@pair
def dropout_in_fit_and_in_monte_carlo_prediction():
    seen = []

    class Seen(layers.Layer):
        def call(self, x, training=None):
            def note(value):
                seen.append(value.numpy())
                return value

            noted = tf.py_function(note, [x], x.dtype)
            noted.set_shape(x.shape)
            return noted

    inputs = keras.Input([4 * N])
    dropped = Seen()(layers.Dropout(0.5)(inputs))
    model = keras.Model(inputs, layers.Dense(1)(dropped))
    model.compile("sgd", "mse", **({"jit_compile": False} if KERAS_3 else {}))
    ones = np.ones([1, 4 * N], "float32")
    model.fit(ones, ones[:, :1], verbose=0)
    trained = seen[-1]
    model(ones, training=True)
    return trained, seen[-1]


@pair
def two_models():
    made = [keras.Sequential([keras.Input([20]), layers.Dense(20)]) for _ in range(2)]
    return tuple(model.get_weights()[0] for model in made)


@pair
def two_initialisers():
    return tuple(keras.initializers.RandomNormal()([N]) for _ in range(2))


@pair
def two_layers_of_one_shape():
    made = keras.Sequential([keras.Input([20]), layers.Dense(20), layers.Dense(20)])
    return made.get_weights()[0], made.get_weights()[2]


@pair
def augmentation_layers():
    made = [layers.GaussianNoise(1.0) for _ in range(2)]
    return tuple(layer(tf.zeros([N]), training=True) for layer in made)
