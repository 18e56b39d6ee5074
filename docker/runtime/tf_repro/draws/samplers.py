"""TensorFlow's candidate samplers by key: the same distributions, in NumPy.

There are no stateless ones of them. A sampler gives classes of a range, and how often each class is
to be expected among them.
https://github.com/tensorflow/tensorflow/blob/v2.15.1/tensorflow/core/kernels/range_sampler.cc
"""

import sys
from collections.abc import Callable
from typing import Any

from tf_repro.draws import python_functions


class _Uniform:
    """Every class is as likely as any other."""

    @staticmethod
    def sample(generator: Any, size: int, classes: int) -> Any:
        return generator.integers(0, classes, size)

    @staticmethod
    def probability(values: Any, classes: int) -> Any:
        return sys.modules["numpy"].full(values.shape, 1.0 / classes)


class _LogUniform:
    """Class k is as likely as log((k + 2) / (k + 1)), as words by their rank are."""

    @staticmethod
    def sample(generator: Any, size: int, classes: int) -> Any:
        numpy = sys.modules["numpy"]
        drawn = numpy.exp(generator.random(size) * numpy.log1p(classes))
        return (drawn.astype(numpy.int64) - 1) % classes

    @staticmethod
    def probability(values: Any, classes: int) -> Any:
        numpy = sys.modules["numpy"]
        return numpy.log((values + 2.0) / (values + 1.0)) / numpy.log1p(classes)


KINDS: dict[str, type[_Uniform] | type[_LogUniform]] = {
    "uniform_candidate_sampler": _Uniform,
    "log_uniform_candidate_sampler": _LogUniform,
}


def _draw(kind: Any, generator: Any, number: int, classes: int, unique: bool) -> tuple[Any, int]:
    """Return some classes, and how many were drawn to get as many that differ."""
    numpy = sys.modules["numpy"]
    if not unique:
        return kind.sample(generator, number, classes), number
    drawn = numpy.zeros(0, numpy.int64)
    while True:
        drawn = numpy.concatenate([drawn, kind.sample(generator, 2 * number, classes)])
        firsts = numpy.sort(numpy.unique(drawn, return_index=True)[1])[:number]
        if len(firsts) == number:
            return drawn[firsts], int(firsts[-1]) + 1


def sampled(
    name: str,
    seed: Any,
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
) -> tuple[Any, Any, Any]:
    """Return what a candidate sampler gives, from a seed, int64 [2].

    Raises:
        ValueError: more classes are to differ than there are.
    """
    if unique and num_sampled > range_max:
        raise ValueError(f"Sampler's range is too small: {num_sampled} of {range_max} classes")
    tensorflow = sys.modules["tensorflow"]
    outputs = tensorflow.int64, tensorflow.float32, tensorflow.float32
    made = python_functions.pure(
        _sampling(name, num_sampled, unique, range_max), [seed, true_classes], outputs
    )
    for tensor, shape in zip(made, ([num_sampled], [None, num_true], [num_sampled]), strict=True):
        tensor.set_shape(shape)
    return made[0], made[1], made[2]


def _sampling(name: str, number: int, unique: bool, classes: int) -> Callable[..., Any]:
    kind = KINDS[name]

    def sampling(seed: Any, true_classes: Any) -> Any:
        numpy = sys.modules["numpy"]
        generator = numpy.random.Generator(numpy.random.Philox(key=seed.view("uint64")))
        drawn, tries = _draw(kind, generator, number, classes, unique)

        def expected(values: Any) -> Any:
            probability = kind.probability(values, classes)
            if tries == number:
                return (probability * number).astype(numpy.float32)
            return (-numpy.expm1(tries * numpy.log1p(-probability))).astype(numpy.float32)

        return drawn, expected(true_classes), expected(drawn)

    return sampling
