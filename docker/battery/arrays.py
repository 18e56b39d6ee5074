"""NumPy's functions, and Python's own of the C library; SciPy's, where the image has it."""

import importlib
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from .case import Case, Shapes, rows
from .exact import PARTS, WIDE, array

HALF = ("float16", *WIDE)
ONE: tuple[Shapes, ...] = (((13,),), ((20_000,),))
TWO: tuple[Shapes, ...] = tuple(one * 2 for one in ONE)
ANY = (
    *("sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsinh", "arctan", "exp", "exp2", "expm1"),
    *("cbrt", "square", "rint", "floor", "sign", "modf", "frexp", "spacing", "degrees"),
)
POSITIVE = ("log", "log2", "log10", "log1p", "sqrt", "reciprocal")
UNIT = ("arcsin", "arccos", "arctanh")
BINARY = (
    *("add", "subtract", "multiply", "divide", "arctan2", "hypot", "logaddexp", "logaddexp2"),
    *("fmod", "mod", "floor_divide", "maximum", "nextafter", "copysign"),
)
REDUCTIONS: dict[str, Callable[[Any], Any]] = {
    **{name: getattr(np, name) for name in ("sum", "mean", "std", "var", "cumsum", "nansum")},
    "sum columns": lambda x: x.sum(0),
    "sum rows": lambda x: x.sum(1),
    "prod": lambda x: (x / 8 + 1).prod(),
    "median": np.median,
    "percentile": lambda x: np.percentile(x, [7, 50, 93], axis=0),
    "argsort of ties": lambda x: np.argsort(np.round(x[:, 0] * 4)),
    "sort": lambda x: np.sort(x, axis=None),
    "histogram": lambda x: np.histogram(x, 20),
    "convolve": lambda x: np.convolve(x.ravel(), x[0]),
    "interp": lambda x: np.interp(x.ravel(), np.sort(x[:, 0]), x[:, 1]),
    "corrcoef": np.corrcoef,
    "cov": np.cov,
    "gradient": np.gradient,
    "einsum": lambda x: np.einsum("ij,kj->ik", x, x),
    "linalg.norm": np.linalg.norm,
}
SQUARES: dict[str, Callable[[Any], Any]] = {
    **{name: getattr(np.linalg, name) for name in ("inv", "det", "slogdet", "svd", "qr", "eig")},
    **{name: getattr(np.linalg, name) for name in ("pinv", "matrix_rank", "cond", "eigvals")},
    "eigh": lambda x: np.linalg.eigh(x + x.T.conj()),
    "cholesky": lambda x: np.linalg.cholesky(x @ x.T.conj() + np.eye(len(x), dtype=x.dtype)),
    "solve": lambda x: np.linalg.solve(x, x.T),
    "lstsq": lambda x: np.linalg.lstsq(x[:, :3], x, rcond=None)[0],
    "matrix_power": lambda x: np.linalg.matrix_power(x / 8, 5),
    "polyfit": lambda x: np.polyfit(np.arange(len(x)), x[0], 2),
}
PRODUCTS: dict[str, Callable[..., Any]] = {
    "matmul": np.matmul,
    "matmul of transposed": lambda a, b: b.T @ a.T,
    "dot of vectors": lambda a, b: np.dot(a[0], b[:, 0]),
    "inner": lambda a, b: np.inner(a, b.T),
}
PRODUCT_SIZES: tuple[Shapes, ...] = (
    ((5, 16), (16, 7)),
    ((64, 256), (256, 64)),
    ((16, 4096), (4096, 16)),
    ((1, 4096), (4096, 512)),
    ((300, 300), (300, 300)),
)
FOURIER: dict[str, Callable[[Any], Any]] = {
    **{name: getattr(np.fft, name) for name in ("fft", "ifft", "rfft", "fft2", "hfft")},
    "irfft": lambda x: np.fft.irfft(x + 1j * x),
}


def _drawn(name: str, *inputs: Any) -> Any:
    *parameters, x = inputs
    generator = np.random.Generator(np.random.PCG64(7))
    return getattr(generator, name)(*parameters, size=len(x))


# With a seed of their own: streams of integers, made normal or gamma by arithmetic.
DRAWS: dict[str, Callable[[Any], Any]] = {
    **{
        name: partial(_drawn, name)
        for name in ("standard_normal", "standard_exponential", "logistic", "gumbel", "laplace")
    },
    "gamma": partial(_drawn, "gamma", 2.5),
    "poisson": partial(_drawn, "poisson", 30),
    "RandomState normal": lambda x: np.random.RandomState(7).standard_normal(len(x)),
}
OF_PYTHON = (
    *("sin", "cos", "tan", "asinh", "atan", "sinh", "cosh", "tanh", "exp", "expm1", "erf", "erfc"),
    *("gamma", "lgamma", "log", "log1p", "log2", "log10", "sqrt"),
)
SCIPY: dict[str, Callable[[Any], Any]] = {
    "special.erf": lambda x: _scipy("special").erf(x),
    "special.gammaln": lambda x: _scipy("special").gammaln(np.abs(x) + 1),
    "special.expit": lambda x: _scipy("special").expit(x),
    "special.logsumexp": lambda x: _scipy("special").logsumexp(x),
    "fft.fft": lambda x: _scipy("fft").fft(x),
    "fft.dct": lambda x: _scipy("fft").dct(x),
    "linalg.expm": lambda x: _scipy("linalg").expm(x[:20, :13] @ x[:20, :13].T / 64),
    "linalg.svd": lambda x: _scipy("linalg").svd(x[:40]),
    "ndimage.gaussian_filter": lambda x: _scipy("ndimage").gaussian_filter(x, 1.5),
    "signal.fftconvolve": lambda x: _scipy("signal").fftconvolve(x, x[:3, :3]),
}


def _scipy(module: str) -> Any:
    return importlib.import_module(f"scipy.{module}")


def _each(name: str) -> Callable[[Any], Any]:
    function = getattr(math, name)
    return lambda x: np.array([function(one) for one in x.tolist()])


def cases() -> Iterator[Case]:
    """Yield the rows; those of SciPy say themselves that the image has none."""
    matrices: tuple[Shapes, ...] = (((24, 13),), ((300, 200),))
    squares: tuple[Shapes, ...] = (((5, 5),), ((24, 24),), ((100, 100),))
    tables = (
        ("numpy", {name: getattr(np, name) for name in ANY}, ONE, HALF, "any"),
        ("numpy", {name: getattr(np, name) for name in POSITIVE}, ONE, HALF, "positive"),
        ("numpy", {name: getattr(np, name) for name in UNIT}, ONE, HALF, "unit"),
        ("numpy", {name: getattr(np, name) for name in BINARY}, TWO, HALF, "any"),
        ("numpy", {"power": np.power, "float_power": np.float_power}, TWO, HALF, "positive"),
        ("numpy", {"exp": np.exp, "log": np.log, "power": lambda x: x**x}, ONE, PARTS, "any"),
        ("numpy", REDUCTIONS, matrices, HALF, "any"),
        ("numpy linalg", SQUARES, squares, (*WIDE, "complex128"), "any"),
        ("numpy", PRODUCTS, PRODUCT_SIZES, HALF, "any"),
        ("numpy fft", FOURIER, (((4, 12),), ((8, 100),), ((16, 1024),)), WIDE, "any"),
        ("numpy random", DRAWS, ONE, ("float64",), "any"),
        ("math", {name: _each(name) for name in OF_PYTHON}, ONE, ("float64",), "positive"),
        ("scipy", SCIPY, matrices, WIDE, "any"),
    )
    for prefix, functions, sizes, kinds, domain in tables:
        named = {f"{prefix} {name}": one for name, one in functions.items()}
        yield from rows(named, sizes, tuple(kinds), domain, array)
