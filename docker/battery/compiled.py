"""Functions that XLA compiles, for the processor that it finds."""

from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from .case import Case, Shapes, rows
from .exact import REAL

math, nn = tf.math, tf.nn


def _by_xla(function: Callable[..., Any]) -> Any:
    return tf.function(function, jit_compile=True)


def _layer_norm(x: Any) -> Any:
    mean, variance = nn.moments(x, [-1], keepdims=True)
    return nn.batch_normalization(x, mean, variance, None, None, 0.001)


FUNCTIONS = {
    **{name: getattr(math, name) for name in ("exp", "tanh", "sigmoid", "sin", "erf")},
    "gelu": nn.gelu,
    "softmax": nn.softmax,
    "layer norm": _layer_norm,
    "log": lambda x: math.log(tf.abs(x) + 1),
    "rsqrt": lambda x: math.rsqrt(tf.abs(x) + 1),
    "sqrt": lambda x: math.sqrt(tf.abs(x) + 1),
    "divide": lambda x: x / (tf.abs(x) + 1),
    "pow": lambda x: math.pow(tf.abs(x) + 1, tf.cast(1.75, x.dtype)),
    "multiply and add": lambda x: x * x + x / 3 * x,
    "reduce_sum": math.reduce_sum,
    "reduce_sum columns": lambda x: math.reduce_sum(x, 0),
}
PRODUCTS = {
    "matmul": tf.matmul,
    "dense": lambda a, b: nn.relu(tf.matmul(a, b) + b[0]),
}
PRODUCT_SIZES: tuple[Shapes, ...] = (
    ((5, 16), (16, 7)),
    ((16, 4096), (4096, 16)),
    ((64, 256), (256, 64)),
)
CONVOLUTIONS = {"conv2d": lambda x, f: nn.conv2d(x, f, 1, "SAME")}
CONVOLUTION_SIZES: tuple[Shapes, ...] = (
    ((2, 6, 6, 3), (3, 3, 3, 5)),
    ((1, 6, 6, 512), (3, 3, 512, 16)),
)


def cases() -> Iterator[Case]:
    """Yield the rows."""
    for functions, sizes in (
        (FUNCTIONS, (((7, 13),), ((48, 400),))),
        (PRODUCTS, PRODUCT_SIZES),
        (CONVOLUTIONS, CONVOLUTION_SIZES),
    ):
        named = {f"XLA {name}": _by_xla(one) for name, one in functions.items()}
        yield from rows(named, sizes, REAL)
