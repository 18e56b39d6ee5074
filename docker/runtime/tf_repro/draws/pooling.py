"""Fractional pooling in a graph: other regions at each call.

The kernel draws its regions from a state. Under determinism it wants a seed, with which it draws
the same at each call. Here the regions are drawn by TensorFlow's other random ops, as the
kernel draws them, and the pooling is made of ops that have gradients.
https://github.com/tensorflow/tensorflow/blob/v2.15.1/tensorflow/core/kernels/fractional_pool_common.cc
"""

import inspect
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from tf_repro import patch
from tf_repro.draws import seeds

_ROWS, _COLUMNS = 1, 2


def on_gen_nn_ops(module: ModuleType) -> None:
    """Draw the regions of pooling that has a stream's seed."""
    for name, pool in (("fractional_max_pool", _largest), ("fractional_avg_pool", _mean)):
        patch.around(module, name)(_pooling(pool))


def _pooling(pool: Callable[..., Any]) -> Callable[..., Any]:
    def op(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        bound = inspect.signature(original).bind(*args, **kwargs)
        bound.apply_defaults()
        given = bound.arguments
        if type(given["seed2"]) is not seeds.StreamSeed:
            return original(*args, **kwargs)
        tensorflow = sys.modules["tensorflow"]
        with tensorflow.name_scope(given["name"] or original.__name__):
            value = tensorflow.convert_to_tensor(given["value"])
            chosen = {name: given[name] for name in ("pseudo_random", "overlapping")}
            return _pooled(pool, value, given["pooling_ratio"], **chosen)

    return op


def _pooled(
    pool: Callable[..., Any],
    value: Any,
    ratios: Sequence[float],
    *,
    pseudo_random: bool,
    overlapping: bool,
) -> tuple[Any, Any, Any]:
    """Return the pooled value, and where its regions of rows and of columns begin, int64.

    Args:
        pool: takes a value, the axis, and the first and the past-the-last index of each region.
        value: [batch, rows, columns, channels].
        ratios: of the four axes; those of the first and the last are 1.
        pseudo_random: whether the regions are as even as they can be.
        overlapping: whether a region has the first index of the next one, too.
    """
    tensorflow = sys.modules["tensorflow"]
    shape: list[Any] = value.shape.as_list() if value.shape.rank is not None else [None] * 4
    regions = []
    for axis in (_ROWS, _COLUMNS):
        length = tensorflow.shape(value, tensorflow.int64)[axis]
        number = tensorflow.cast(
            tensorflow.floor(tensorflow.cast(length, tensorflow.float64) / ratios[axis]),
            tensorflow.int64,
        )
        begins = (_pseudo_random if pseudo_random else _random)(length, number)
        ends = tensorflow.minimum(begins[1:] + (1 if overlapping else 0), length)
        value = pool(value, axis, begins[:-1], ends)
        if shape[axis] is not None:
            shape[axis] = int(shape[axis] / ratios[axis])
            begins.set_shape([shape[axis] + 1])
        regions.append(begins)
    value.set_shape(shape)
    return value, regions[0], regions[1]


def _random(length: Any, number: Any) -> Any:
    """Return where regions begin, and the end: their sizes, which differ by one, in any order."""
    tensorflow = sys.modules["tensorflow"]
    size = length // number
    larger = length - size * number
    sizes = size + tensorflow.cast(tensorflow.range(number) < larger, tensorflow.int64)
    return tensorflow.concat([[0], tensorflow.cumsum(tensorflow.random.shuffle(sizes))], 0)


def _pseudo_random(length: Any, number: Any) -> Any:
    """Return the same for sizes that follow from one random number, as evenly as they can."""
    tensorflow = sys.modules["tensorflow"]
    whole, parts = (tensorflow.cast(each, tensorflow.float64) for each in (length, number))
    size, mean = tensorflow.floor(whole / parts), whole / parts
    largest = tensorflow.minimum((size + 2) / mean - 1, (whole + 1 - size) / mean - (parts - 1))
    start = tensorflow.random.uniform((), dtype=tensorflow.float64) * largest
    places = tensorflow.floor(mean * (tensorflow.range(parts, dtype=tensorflow.float64) + start))
    begins = tensorflow.cast(places - tensorflow.floor(mean * start), tensorflow.int64)
    return tensorflow.concat([begins, [length]], 0)


def _windows(value: Any, axis: int, begins: Any, ends: Any) -> tuple[Any, Any]:
    """Return each region along an axis of its own, its last index repeated, and what is of it."""
    tensorflow = sys.modules["tensorflow"]
    places = tensorflow.range(tensorflow.reduce_max(ends - begins))
    index = begins[:, None] + places
    gathered = tensorflow.gather(value, tensorflow.minimum(index, ends[:, None] - 1), axis=axis)
    return gathered, index < ends[:, None]


def _largest(value: Any, axis: int, begins: Any, ends: Any) -> Any:
    gathered, _ = _windows(value, axis, begins, ends)
    return sys.modules["tensorflow"].reduce_max(gathered, axis + 1)


def _mean(value: Any, axis: int, begins: Any, ends: Any) -> Any:
    tensorflow = sys.modules["tensorflow"]
    gathered, is_within = _windows(value, axis, begins, ends)
    behind = [1] * (gathered.shape.rank - axis - 2)
    within = tensorflow.cast(is_within, value.dtype)
    shape = tensorflow.concat([tensorflow.shape(within), behind], 0)
    total = tensorflow.reduce_sum(gathered * tensorflow.reshape(within, shape), axis + 1)
    sizes = tensorflow.reshape(ends - begins, [-1, 1, *behind][: len(behind) + 1])
    if value.dtype.is_integer:
        return total // tensorflow.cast(sizes, value.dtype)
    return total / tensorflow.cast(sizes, value.dtype)
