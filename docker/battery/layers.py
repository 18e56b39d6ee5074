"""Keras' layers with their gradients, and its optimizers."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from .case import Case, Shapes, rows
from .exact import WIDE, array, tensor
from .networks import with_gradients

layers = tf.keras.layers
STEPS = 5


def settle(weights: Any) -> None:
    """Give matrices and filters small numbers that no generator draws; vectors keep ones, zeros."""
    for salt, weight in enumerate(weights):
        shape = tuple(weight.shape)
        if len(shape) > 1:
            # A power of two, so that it stays exact.
            scale = 2.0 ** -np.ceil(np.log2(np.prod(shape[:-1])) / 2)
            weight.assign(array(shape, "float32", salt=100 + salt) * np.float32(scale))


def _layer(make: Callable[[], Any], *inputs: Any) -> Any:
    _take(inputs[0].dtype.name)
    try:
        layer = make()
        layer(*inputs)
        settle(layer.trainable_weights)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            found = layer(*inputs)
        watched = [inputs, layer.trainable_weights]
        return found, tape.gradient(found, watched, output_gradients=found)
    finally:
        _take("float32")


def _take(kind: str) -> None:
    """Have layers be of a type, in all of them: Keras 3 asks floatx but for the first of them."""
    tf.keras.backend.set_floatx(kind)
    tf.keras.mixed_precision.set_global_policy(kind)


SEQUENCES = {
    "LSTM": lambda: layers.LSTM(12),
    "GRU": lambda: layers.GRU(12),
    "SimpleRNN": lambda: layers.SimpleRNN(12),
    "Bidirectional": lambda: layers.Bidirectional(layers.LSTM(6)),
    "LayerNormalization": layers.LayerNormalization,
    "GroupNormalization": lambda: layers.GroupNormalization(4),
    "UnitNormalization": layers.UnitNormalization,
    "BatchNormalization": layers.BatchNormalization,
    "Dense": lambda: layers.Dense(24, "gelu"),
    "EinsumDense": lambda: layers.EinsumDense("abc,cd->abd", (None, 24)),
    "Conv1D": lambda: layers.Conv1D(12, 3, padding="causal"),
    "PReLU": layers.PReLU,
}
PICTURES = {
    "Conv2D": lambda: layers.Conv2D(12, 3),
    "SeparableConv2D": lambda: layers.SeparableConv2D(12, 3),
    "DepthwiseConv2D": lambda: layers.DepthwiseConv2D(3),
    "Conv2DTranspose": lambda: layers.Conv2DTranspose(12, 3, strides=2),
    "BatchNormalization of images": layers.BatchNormalization,
    "LayerNormalization of images": layers.LayerNormalization,
    "GlobalAveragePooling2D": layers.GlobalAveragePooling2D,
    "UpSampling2D": lambda: layers.UpSampling2D(2, interpolation="bilinear"),
}


class _OverTime(tf.keras.layers.Layer):  # type: ignore[misc]
    """A convolutional LSTM over an image and the same, mirrored."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = layers.ConvLSTM2D(4, 3)

    def call(self, x: Any) -> Any:
        """Return its output."""
        return self.inner(tf.stack([x, x[:, ::-1]], axis=1))


PICTURES["ConvLSTM2D"] = _OverTime
PAIRS = {"MultiHeadAttention": lambda: layers.MultiHeadAttention(4, 16)}
OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "SGD": lambda: tf.keras.optimizers.SGD(0.125),
    "SGD nesterov": lambda: tf.keras.optimizers.SGD(0.125, momentum=0.9, nesterov=True),
    "RMSprop centered": lambda: tf.keras.optimizers.RMSprop(centered=True, momentum=0.9),
    "Adam amsgrad": lambda: tf.keras.optimizers.Adam(amsgrad=True),
    **{
        name: getattr(tf.keras.optimizers, name)
        for name in (
            *("RMSprop", "Adam", "AdamW", "Adamax", "Nadam", "Adagrad", "Adadelta", "Ftrl"),
            *("Adafactor", "Lion"),
        )
        if hasattr(tf.keras.optimizers, name)
    },
    **{
        f"legacy {name}": getattr(tf.keras.optimizers.legacy, name)
        for name in ("SGD", "RMSprop", "Adam", "Adamax", "Nadam", "Adagrad", "Adadelta", "Ftrl")
        if hasattr(getattr(tf.keras.optimizers, "legacy", None), name)
    },
}


def _optimize(make: Callable[[], Any], start: Any) -> Any:
    """Take some steps, with a gradient of its own each."""
    weight = tf.Variable(start)
    optimizer = make()
    for step in range(STEPS):
        gradient = tensor(tuple(start.shape), start.dtype.name, salt=200 + step)
        optimizer.apply_gradients([(gradient, weight)])
    return weight


def _attention(q: Any, k: Any, v: Any) -> Any:
    logits = tf.matmul(q, k, transpose_b=True) / tf.sqrt(tf.cast(q.shape[-1], q.dtype))
    return tf.matmul(tf.nn.softmax(logits), v)


def cases() -> Iterator[Case]:
    """Yield the rows."""
    sequences: tuple[Shapes, ...] = (((3, 5, 8),), ((8, 20, 64),))
    pictures: tuple[Shapes, ...] = (((2, 8, 8, 3),), ((4, 12, 12, 16),))
    kinds = ("float16", *WIDE)
    for makers, sizes in (
        *((SEQUENCES, sequences), (PICTURES, pictures)),
        (PAIRS, tuple(shapes * 2 for shapes in sequences)),
    ):
        functions = {f"layer {name}": partial(_layer, make) for name, make in makers.items()}
        yield from rows(functions, sizes, kinds)
    yield from rows(
        {"attention + gradient": with_gradients(_attention)},
        tuple(shapes * 3 for shapes in sequences),
        kinds,
    )
    optimizers = {f"optimizer {name}": partial(_optimize, one) for name, one in OPTIMIZERS.items()}
    yield from rows(optimizers, (((11, 3),), ((100, 20),)), kinds)
