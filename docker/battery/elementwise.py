"""Functions of each element: of one number, of two, of complex ones, and their gradients' ops."""

from collections.abc import Iterator
from functools import partial

import tensorflow as tf

from .case import Case, rows
from .exact import PARTS, REAL, WIDE

SIZES = (13, 20_000)
# Series and continued fractions: hundreds of operations an element.
SLOW_SIZES = (13, 2_000)

raw, math, nn = tf.raw_ops, tf.math, tf.nn
ANY = {
    **{name: getattr(math, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: getattr(math, name) for name in ("asinh", "atan", "exp", "expm1", "erf", "erfc")},
    **{name: getattr(math, name) for name in ("sigmoid", "log_sigmoid", "softplus", "softsign")},
    **{name: getattr(math, name) for name in ("square", "rint", "floor", "ceil", "sign", "abs")},
    **{name: getattr(nn, name) for name in ("relu", "relu6", "elu", "selu", "gelu", "silu")},
    "leaky_relu": nn.leaky_relu,
    "gelu_tanh": partial(nn.gelu, approximate=True),
    "round": math.round,
    "clip": lambda x: tf.clip_by_value(x, -1, 1),
    "log_sum": lambda x: math.log(1 + math.exp(x)),
}
POSITIVE = {
    **{name: getattr(math, name) for name in ("log", "log1p", "sqrt", "rsqrt", "reciprocal")},
    "inv": lambda x: raw.Inv(x=x),
    "one_over": lambda x: 1 / x,
    "divide_by_sqrt": lambda x: 2 / math.sqrt(x),
    "cube_root": lambda x: x ** (1 / 3),
}
UNIT = {name: getattr(math, name) for name in ("asin", "acos", "atanh", "erfinv", "ndtri")}
ABOVE_ONE = {"acosh": math.acosh, "log_of_log": lambda x: math.log(math.log(x) + 1)}
SLOW_ANY = {
    name: getattr(math.special, name)
    for name in (
        *("bessel_i0", "bessel_i0e", "bessel_i1", "bessel_i1e", "bessel_j0", "bessel_j1"),
        *("dawsn", "fresnel_cos", "fresnel_sin"),
    )
}
SLOW_POSITIVE = {
    "lgamma": math.lgamma,
    "digamma": math.digamma,
    **{name: getattr(math.special, name) for name in ("bessel_k0", "bessel_k1", "bessel_y0")},
    **{name: getattr(math.special, name) for name in ("bessel_y1", "expint", "spence")},
}
BINARY = {
    **{name: getattr(math, name) for name in ("add", "subtract", "multiply", "divide", "atan2")},
    **{name: getattr(math, name) for name in ("squared_difference", "floormod", "floordiv")},
    **{name: getattr(math, name) for name in ("maximum", "divide_no_nan", "xdivy", "nextafter")},
    "truncate_mod": lambda x, y: raw.TruncateMod(x=x, y=y),
}
BINARY_POSITIVE = {
    "pow": math.pow,
    "xlogy": math.xlogy,
    "xlog1py": math.xlog1py,
    "sqrt_of_squares": lambda x, y: math.sqrt(x * x + y * y),
}
SLOW_BINARY = {
    "igamma": math.igamma,
    "igammac": math.igammac,
    "zeta": lambda x, y: math.zeta(x + 1, y),
    "lbeta": lambda x, y: math.lbeta([x, y]),
    "polygamma": lambda x, y: math.polygamma(tf.ones_like(x), y),
    "betainc": lambda x, y: math.betainc(x, y, y / 8),
}
# The gradients that are ops of their own: of y, the function's value, and of what comes in.
GRADIENTS = {
    "rsqrt_grad": lambda y, dy: raw.RsqrtGrad(y=y, dy=dy),
    "reciprocal_grad": lambda y, dy: raw.ReciprocalGrad(y=y, dy=dy),
    "sqrt_grad": lambda y, dy: raw.SqrtGrad(y=y, dy=dy),
    "tanh_grad": lambda y, dy: raw.TanhGrad(y=y, dy=dy),
    "sigmoid_grad": lambda y, dy: raw.SigmoidGrad(y=y, dy=dy),
    "elu_grad": lambda y, dy: raw.EluGrad(outputs=y - 2, gradients=dy),
    "selu_grad": lambda y, dy: raw.SeluGrad(outputs=y - 2, gradients=dy),
    "softplus_grad": lambda y, dy: raw.SoftplusGrad(features=y, gradients=dy),
    "softsign_grad": lambda y, dy: raw.SoftsignGrad(features=y, gradients=dy),
}
COMPLEX = {
    **{name: getattr(math, name) for name in ("exp", "log", "sqrt", "rsqrt", "reciprocal")},
    **{name: getattr(math, name) for name in ("sin", "cos", "tanh", "sigmoid", "abs", "angle")},
    "divide": lambda x: x / (x * x + 1),
}


def cases() -> Iterator[Case]:
    """Yield the rows."""
    one, two = (tuple(((size,),) * n for size in SIZES) for n in (1, 2))
    slow, slow_two = (tuple(((size,),) * n for size in SLOW_SIZES) for n in (1, 2))
    yield from rows(ANY, one, REAL)
    yield from rows(POSITIVE, one, REAL, "positive")
    yield from rows(UNIT, one, REAL, "unit")
    yield from rows(ABOVE_ONE, one, REAL, "above_one")
    yield from rows(SLOW_ANY, slow, REAL)
    yield from rows(SLOW_POSITIVE, slow, REAL, "positive")
    yield from rows(BINARY, two, REAL)
    yield from rows(BINARY_POSITIVE, two, REAL, "positive")
    yield from rows(SLOW_BINARY, slow_two, WIDE, "positive")
    yield from rows(GRADIENTS, two, REAL, "positive")
    yield from rows(COMPLEX, one, tuple(PARTS))
