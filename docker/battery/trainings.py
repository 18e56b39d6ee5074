"""Trainings of some steps: what counts is the weights at their end."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import tensorflow as tf

from .case import Case
from .exact import array, indices
from .layers import settle

layers, optimizers = tf.keras.layers, tf.keras.optimizers
CLASSES = 10
BATCH = 16
STEPS = 6


def _dense() -> Any:
    return tf.keras.Sequential([layers.Dense(256, "relu"), layers.Dense(128, "relu"), _logits()])


def _convolutions() -> Any:
    return tf.keras.Sequential(
        [
            layers.Conv2D(16, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Conv2D(32, 3, strides=2, activation="relu"),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            _logits(),
        ]
    )


def _lstm() -> Any:
    return tf.keras.Sequential([layers.LSTM(32, return_sequences=True), layers.LSTM(32), _logits()])


def _transformer() -> Any:
    inputs = tf.keras.Input((12, 32))
    attended = layers.MultiHeadAttention(4, 8)(inputs, inputs)
    first = layers.LayerNormalization()(layers.add([inputs, attended]))
    second = layers.Dense(32)(layers.Dense(64, "gelu")(first))
    normed = layers.LayerNormalization()(layers.add([first, second]))
    return tf.keras.Model(inputs, _logits()(layers.GlobalAveragePooling1D()(normed)))


def _embeddings() -> Any:
    return tf.keras.Sequential(
        [layers.Embedding(200, 16), layers.GlobalAveragePooling1D(), _logits()]
    )


def _logits() -> Any:
    return layers.Dense(CLASSES)


# The shape of an example, or how many words there are where it is made of words.
TRAININGS: dict[str, tuple[Callable[[], Any], tuple[int, ...], int, Callable[[], Any]]] = {
    "dense": (_dense, (64,), 0, lambda: optimizers.Adam(0.001)),
    "convolutions": (_convolutions, (14, 14, 3), 0, lambda: optimizers.SGD(0.0625, momentum=0.9)),
    "LSTM": (_lstm, (10, 16), 0, lambda: optimizers.Adam(0.01)),
    "transformer": (_transformer, (12, 32), 0, lambda: optimizers.Adam(0.001)),
    "embeddings": (_embeddings, (20,), 200, lambda: optimizers.Adagrad(0.125)),
    "RMSprop": (_dense, (64,), 0, lambda: optimizers.RMSprop(0.001)),
}


def _train(
    make: Callable[[], Any],
    shape: tuple[int, ...],
    words: int,
    optimizer: Callable[[], Any],
) -> Any:
    count = BATCH * STEPS
    inputs = indices((count, *shape), words) if words else array((count, *shape), "float32")
    model = make()
    model(inputs[:BATCH])
    settle(model.trainable_weights)
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer(), loss)
    model.fit(inputs, indices((count,), CLASSES, 1), BATCH, verbose=0, shuffle=False)
    return model.get_weights()


def cases() -> Iterator[Case]:
    """Yield the rows."""
    for name, training in TRAININGS.items():
        compute = partial(_train, *training)
        label = f"{STEPS} steps"
        yield Case(f"training {name}", "float32", label, compute, sample=name == "convolutions")
