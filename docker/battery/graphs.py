"""What TensorFlow fuses where it compiles a graph: it computes that by kernels of its own."""

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from .case import Case, Shapes, rows
from .exact import WIDE

nn = tf.nn
ACTIVATIONS = ("relu", "relu6", "elu", "leaky_relu", "sigmoid", "tanh", "gelu", "silu")


def _dense(activation: str) -> Any:
    function = getattr(nn, activation)
    return lambda x, w, b: function(nn.bias_add(tf.matmul(x, w), b))


def _convolution(x: Any, f: Any, b: Any) -> Any:
    return nn.relu(nn.bias_add(nn.conv2d(x, f, 1, "SAME"), b))


def _normed(x: Any, f: Any, b: Any) -> Any:
    y = nn.conv2d(x, f, 1, "SAME")
    normed = tf.compat.v1.nn.fused_batch_norm(y, b + 1, b, b, b * b + 1, is_training=False)
    return nn.relu(normed[0])


DENSE = {f"dense {name}": _dense(name) for name in ACTIVATIONS}
DENSE_SIZES: tuple[Shapes, ...] = (
    ((5, 16), (16, 7), (7,)),
    ((16, 256), (256, 128), (128,)),
    ((1, 4096), (4096, 64), (64,)),
)
CONVOLUTIONS = {"conv2d bias relu": _convolution, "conv2d batch norm relu": _normed}
CONVOLUTION_SIZES: tuple[Shapes, ...] = (
    ((2, 6, 6, 3), (3, 3, 3, 5), (5,)),
    ((1, 6, 6, 512), (3, 3, 512, 16), (16,)),
)
# Grappler writes the first with rsqrt.
ARITHMETIC = {
    "x / sqrt(y)": lambda x, y: x / tf.sqrt(tf.abs(y) + 1),
    "log(1 + x)": lambda x, _: tf.math.log(1 + tf.abs(x)),
    "softmax by hand": lambda x, y: tf.exp(x) / tf.reduce_sum(tf.exp(y)),
}


def cases() -> Iterator[Case]:
    """Yield the rows."""
    for functions, sizes in (
        (DENSE, DENSE_SIZES),
        (CONVOLUTIONS, CONVOLUTION_SIZES),
        (ARITHMETIC, (((13,), (13,)), ((20_000,), (20_000,)))),
    ):
        named = {f"graph {name}": tf.function(one) for name, one in functions.items()}
        yield from rows(named, sizes, ("float16", *WIDE))
