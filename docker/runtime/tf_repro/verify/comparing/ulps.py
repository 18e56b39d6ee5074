"""How far two tensors are apart, counted in representable numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np

# Integer of the same size -> its sign bit, for IEEE 754 binary16, 32 and 64.
_SIGNED = {2: np.int16, 4: np.int32, 8: np.int64}


@dataclass(frozen=True)
class Apart:
    """How two tensors of one shape and type differ.

    Attributes:
        elements: how many of them differ in any bit; of: how many there are.
        absolute: the largest absolute difference.
        relative: the largest difference relative to the first one's value.
        ulps: the largest number of steps between representable numbers; None if that has no
            meaning (integers, NaNs).
    """

    elements: int
    of: int
    absolute: float
    relative: float
    ulps: "int | None"


def apart(one: Any, other: Any) -> Apart:
    """Compare two arrays of the same shape and dtype, of any shape.

    >>> apart(np.float32([1, 2]), np.float32([1, 2.0000002]))
    Apart(elements=1, of=2, absolute=2.384185791015625e-07, relative=1.1920928955078125e-07, ulps=1)
    """
    one, other = np.ravel(one), np.ravel(other)
    differ = one.view(f"V{one.itemsize}") != other.view(f"V{other.itemsize}")
    elements = int(np.count_nonzero(differ))
    if not elements or one.dtype.kind not in "fiub":
        return Apart(elements, one.size, 0.0, 0.0, None)
    a, b = one[differ], other[differ]
    wide_a, wide_b = a.astype("float64"), b.astype("float64")
    with np.errstate(all="ignore"):
        absolute = np.abs(wide_a - wide_b)
        relative = absolute / np.abs(wide_a)
    counted = bool(np.isfinite(absolute).all()) and a.dtype.kind == "f" and a.itemsize in _SIGNED
    return Apart(
        elements,
        one.size,
        _largest(absolute),
        _largest(relative),
        max(abs(x - y) for x, y in zip(_ordered(a), _ordered(b), strict=True)) if counted else None,
    )


def _ordered(values: Any) -> "list[int]":
    """Return integers in the order of the floats, one apart where the floats are neighbours.

    https://randomascii.wordpress.com/2012/02/25/comparing-floating-point-numbers-2012-edition/

    >>> _ordered(np.float32([-1e-45, 0.0, 1e-45, 3e-45]))
    [-1, 0, 1, 2]
    """
    bits = values.view(_SIGNED[values.itemsize])
    lowest = int(np.iinfo(bits.dtype).min)
    return [int(one) if one >= 0 else lowest - int(one) for one in bits]


def _largest(values: Any) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.max()) if finite.size else float("inf")


def of_bits(one: str, other: str, dtype: str) -> "Apart | None":
    """Return how far two losses are apart, from their bytes in hex; None if those are no floats.

    >>> of_bits("0000803f", "0100803f", "float32").ulps
    1
    """
    if dtype not in {"float16", "float32", "float64"}:
        return None
    a, b = (np.frombuffer(bytes.fromhex(text), dtype) for text in (one, other))
    return apart(a, b) if a.shape == b.shape else None


def words(found: Apart) -> str:
    """Return it in one line, for people.

    >>> words(Apart(1, 24, 2.4e-07, 1.2e-07, 1))
    '1 of 24 elements, largest 2.4e-07 (1.2e-07 relative, 1 ULP)'
    """
    if found.absolute == float("inf"):
        return f"{found.elements} of {found.of} elements, some of which are no numbers"
    steps = "" if found.ulps is None else f", {found.ulps} ULP{'' if found.ulps == 1 else 's'}"
    return (
        f"{found.elements} of {found.of} elements, largest {found.absolute:.3g} "
        f"({found.relative:.3g} relative{steps})"
    )
