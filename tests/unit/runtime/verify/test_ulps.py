"""Distances between floats, in representable numbers."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tf_repro.verify.comparing.ulps import apart


def test_equal_is_equal() -> None:
    one = np.array([1.0, np.nan, 0.0], np.float32)
    assert apart(one, one.copy()).elements == 0


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.integers(1, 50))
def test_so_many_neighbours_away(value: float, steps: int) -> None:
    one: Any = np.float32(value)
    other = one
    with np.errstate(over="ignore"):
        for _ in range(steps):
            other = np.nextafter(other, np.float32(np.inf))
    found = apart(np.array([one]), np.array([other]))
    if np.isfinite(other):
        # Zero has two representations, and they are neighbours of none but themselves.
        assert found.ulps is not None
        assert abs(found.ulps - steps) <= 1
    else:
        assert found.ulps is None


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_across_zero(dtype: str) -> None:
    tiny = np.nextafter(np.array([0], dtype), np.array([1], dtype))
    assert apart(-tiny, tiny).ulps == 2


def test_what_differs_is_counted() -> None:
    one: Any = np.arange(6, dtype=np.float32).reshape(2, 3)
    other = one.copy()
    other[1] += 0.5
    found = apart(one, other)
    assert (found.elements, found.of, found.absolute) == (3, 6, 0.5)
    assert found.relative == pytest.approx(0.5 / 3)


def test_signs_of_zero_and_nan_differ_in_bits() -> None:
    assert apart(np.array([0.0]), np.array([-0.0])).elements == 1
    with_nan = apart(np.array([1.0, 2.0]), np.array([np.nan, 3.0]))
    assert (with_nan.elements, with_nan.ulps, with_nan.absolute) == (2, None, 1.0)


def test_integers_have_no_ulps() -> None:
    assert apart(np.array([1]), np.array([3])).ulps is None
    assert apart(np.array([True]), np.array([False])).absolute == 1.0
