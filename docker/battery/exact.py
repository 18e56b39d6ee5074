"""Inputs that are the same everywhere: integers, scaled by powers of two, in every type exactly."""

import math
from typing import Any

import numpy as np

# How many bits a type's significand holds: an integer of so many, over a power of two, is exact.
BITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}
REAL = tuple(BITS)
# Kernels of linear algebra, and NumPy, know no bfloat16.
WIDE = ("float32", "float64")
PARTS = {"complex64": "float32", "complex128": "float64"}


def integers(count: int, salt: int = 0) -> Any:
    """Return `count` integers of 64 bits, by the finalizer of SplitMix64.

    https://dl.acm.org/doi/10.1145/2714064.2660195
    """
    mixed = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed += np.uint64((salt * 0xD1342543DE82EF95) % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def doubles(shape: tuple[int, ...], kind: str, domain: str = "any", salt: int = 0) -> Any:
    """Return numbers that a type holds exactly, as float64.

    Args:
        shape: of the array.
        kind: the type, of BITS.
        domain: any, from -2 below 2; unit, from -1 below 1; positive, above 0 up to 4; above_one,
            from 1 below 2.
        salt: another one gives other numbers.
    """
    bits = BITS[kind]
    drawn = integers(math.prod(shape), salt).reshape(shape)
    whole = (drawn >> np.uint64(64 - bits)).astype(np.int64)
    half = 2 ** (bits - 1)
    if domain == "positive":
        return (whole + 1).astype(np.float64) / 2.0 ** (bits - 2)
    if domain == "above_one":
        return ((whole >> 1) + half).astype(np.float64) / half
    return (whole - half).astype(np.float64) / (half if domain == "unit" else half / 2)


def array(shape: tuple[int, ...], kind: str, domain: str = "any", salt: int = 0) -> Any:
    """Return the same as an array of NumPy, of one of its types, complex ones too."""
    if part := PARTS.get(kind):
        real, imaginary = (doubles(shape, part, domain, 2 * salt + one) for one in range(2))
        return (real + 1j * imaginary).astype(kind)
    return doubles(shape, kind, domain, salt).astype(kind)


def tensor(shape: tuple[int, ...], kind: str, domain: str = "any", salt: int = 0) -> Any:
    """Return the same as a tensor."""
    import tensorflow as tf

    if kind in PARTS:
        return tf.constant(array(shape, kind, domain, salt))
    return tf.cast(tf.constant(doubles(shape, kind, domain, salt)), kind)


def indices(shape: tuple[int, ...], below: int, salt: int = 0) -> Any:
    """Return whole numbers from 0 below a bound, as int32."""
    drawn = integers(math.prod(shape), salt) % np.uint64(below)
    return drawn.astype(np.int32).reshape(shape)
