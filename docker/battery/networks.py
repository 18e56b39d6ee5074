"""Convolutions, pools, normalisations and losses of tf.nn, with their gradients."""

from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from .case import Case, Shapes, rows
from .exact import REAL, indices

nn = tf.nn


def with_gradients(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that gives what another one gives, and all of its gradients.

    The gradient that comes in is the result itself, so that it is none that kernels know.
    """

    def both(*inputs: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            found = function(*inputs)
        return found, tape.gradient(found, inputs, output_gradients=found)

    return both


CONVOLUTIONS = {
    "conv2d": lambda x, f: nn.conv2d(x, f, 1, "SAME"),
    "conv2d strided": lambda x, f: nn.conv2d(x, f, 2, "VALID"),
    "atrous_conv2d": lambda x, f: nn.atrous_conv2d(x, f, 2, "SAME"),
}
# The last but one has an inner dimension of 4608, the last of 4096.
CONVOLUTION_SIZES: tuple[Shapes, ...] = (
    ((2, 6, 6, 3), (3, 3, 3, 5)),
    ((2, 12, 12, 64), (3, 3, 64, 32)),
    ((1, 6, 6, 512), (3, 3, 512, 16)),
    ((1, 4, 4, 4096), (1, 1, 4096, 16)),
)
DEPTHWISE = {
    "depthwise_conv2d": lambda x, f: nn.depthwise_conv2d(x, f, [1] * 4, "SAME"),
    "dilation2d": lambda x, f: nn.dilation2d(x, f[..., 0], [1] * 4, "SAME", "NHWC", [1] * 4),
    "erosion2d": lambda x, f: nn.erosion2d(x, f[..., 0], [1] * 4, "SAME", "NHWC", [1] * 4),
    "conv2d_transpose": lambda x, f: nn.conv2d_transpose(
        x, tf.transpose(f, [0, 1, 3, 2]), [*x.shape[:3], f.shape[3]], 1, "SAME"
    ),
}
DEPTHWISE_SIZES: tuple[Shapes, ...] = (
    ((2, 6, 6, 3), (3, 3, 3, 2)),
    ((2, 14, 14, 32), (3, 3, 32, 2)),
)
LINES = {"conv1d": lambda x, f: nn.conv1d(x, f, 1, "SAME")}
LINE_SIZES: tuple[Shapes, ...] = (((2, 9, 3), (3, 3, 5)), ((2, 40, 128), (5, 128, 32)))
SOLIDS = {"conv3d": lambda x, f: nn.conv3d(x, f, [1] * 5, "SAME")}
SOLID_SIZES: tuple[Shapes, ...] = (
    ((1, 4, 4, 4, 3), (2, 2, 2, 3, 4)),
    ((1, 6, 6, 6, 32), (3, 3, 3, 32, 8)),
)


def _norm(x: Any, *, training: bool) -> Any:
    scale, offset = x[0, 0, 0], x[0, 0, 1]
    statistics = {} if training else {"mean": x[0, 1, 0], "variance": tf.abs(x[0, 1, 1]) + 1}
    return tf.compat.v1.nn.fused_batch_norm(x, scale, offset, is_training=training, **statistics)[0]


IMAGES = {
    "avg_pool2d": lambda x: nn.avg_pool2d(x, 3, 2, "SAME"),
    "max_pool2d": lambda x: nn.max_pool2d(x, 3, 2, "SAME"),
    "lrn": nn.local_response_normalization,
    "fused_batch_norm": lambda x: _norm(x, training=True),
    "fused_batch_norm inference": lambda x: _norm(x, training=False),
    "batch_normalization": lambda x: nn.batch_normalization(
        x, *nn.moments(x, [0, 1, 2]), x[0, 0, 0], x[0, 0, 1], 0.001
    ),
    "bias_add": lambda x: nn.bias_add(x, x[0, 0, 0]),
    "resize bilinear": lambda x: tf.image.resize(x, (11, 5)),
    "resize bicubic": lambda x: tf.image.resize(x, (11, 5), "bicubic"),
}
VOLUMES = {
    "avg_pool3d": lambda x: nn.avg_pool3d(x, 2, 2, "SAME"),
    "max_pool3d": lambda x: nn.max_pool3d(x, 2, 2, "SAME"),
}


# They are ops of float32 alone.
QUANTIZED = {"fake_quant": lambda x: tf.quantization.fake_quant_with_min_max_args(x, -1, 1)}


def _labels(x: Any) -> Any:
    return indices((x.shape[0],), x.shape[1])


LOSSES = {
    "softmax_cross_entropy": lambda x: nn.softmax_cross_entropy_with_logits(tf.abs(x), x),
    "sparse_softmax_cross_entropy": lambda x: nn.sparse_softmax_cross_entropy_with_logits(
        _labels(x), x
    ),
    "sigmoid_cross_entropy": lambda x: nn.sigmoid_cross_entropy_with_logits(tf.abs(x), x),
    "log_poisson_loss": lambda x: nn.log_poisson_loss(tf.abs(x), x),
    "softmax": nn.softmax,
    "log_softmax": nn.log_softmax,
    "l2_normalize": lambda x: tf.math.l2_normalize(x, -1),
    "reduce_std": lambda x: tf.math.reduce_std(x, -1),
    "reduce_logsumexp": lambda x: tf.math.reduce_logsumexp(x, -1),
    "norm": lambda x: tf.norm(x, axis=-1),
    "cumsum": lambda x: tf.cumsum(x, -1),
    "gather": lambda x: tf.gather(x, _labels(x) % x.shape[0]),
    **{name: getattr(nn, name) for name in ("gelu", "silu", "elu", "selu", "softplus")},
    **{name: getattr(tf.math, name) for name in ("tanh", "sigmoid", "erf", "exp", "sin", "atan")},
    "log": lambda x: tf.math.log(tf.abs(x) + 1),
    "sqrt": lambda x: tf.math.sqrt(tf.abs(x) + 1),
    "rsqrt": lambda x: tf.math.rsqrt(tf.abs(x) + 1),
    "pow": lambda x: tf.math.pow(tf.abs(x) + 1, tf.cast(1.75, x.dtype)),
    "divide": lambda x: x / (tf.abs(x) + 1),
    "lgamma": lambda x: tf.math.lgamma(tf.abs(x) + 1),
    "atan2": lambda x: tf.math.atan2(x, tf.abs(x) + 1),
}


def _ctc(x: Any) -> Any:
    time, batch = len(x), x.shape[1]
    labels = 1 + indices((batch, 3), x.shape[2] - 1)
    return nn.ctc_loss(labels, x, [3] * batch, [time] * batch, blank_index=0)


def cases() -> Iterator[Case]:
    """Yield the rows."""
    tables = (
        *((CONVOLUTIONS, CONVOLUTION_SIZES, REAL), (DEPTHWISE, DEPTHWISE_SIZES, REAL)),
        *((LINES, LINE_SIZES, REAL), (SOLIDS, SOLID_SIZES, REAL)),
        (IMAGES, (((2, 7, 9, 3),), ((2, 16, 16, 32),)), REAL),
        (VOLUMES, (((1, 4, 4, 4, 3),), ((2, 8, 8, 8, 16),)), REAL),
        (LOSSES, (((7, 13),), ((64, 1000),)), REAL),
        (QUANTIZED, (((7, 13),), ((64, 1000),)), ("float32",)),
        ({"ctc_loss": _ctc}, (((6, 2, 5),), ((20, 4, 30),)), ("float32",)),
    )
    for functions, sizes, kinds in tables:
        named = {f"{name} + gradient": with_gradients(one) for name, one in functions.items()}
        yield from rows(named, sizes, kinds)
