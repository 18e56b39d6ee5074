"""Which Python functions are pure but for what they draw, and what their copies draw by a key."""

import math
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from random import gauss, uniform
from types import FunctionType
from typing import Any

import numpy as np
import numpy.random as npr
import pytest
from numpy.random import normal

from tf_repro.draws import element, purity

# the old functions are what scripts draw with

Function = Callable[..., Any]

SCALE = 2.0
MEANS = np.array([1.0, 2.0])
MEANS.flags.writeable = False
VARIANCES = np.array([1.0, 2.0])
CALLS: list[int] = []
GENERATOR = np.random.default_rng(1)
COUNT = 0


def examine(function: Function) -> set[str]:
    """Return the libraries that a pure function draws from."""
    assert isinstance(function, FunctionType)
    return purity.Examined(function).libraries


def scaled(x: float) -> float:
    """Return a number that another function of this module uses."""
    return SCALE * x


def factorial(n: int) -> int:
    """Return a number by calling itself."""
    return 1 if n < 1 else n * factorial(n - 1)


def closed_over(value: object) -> Function:
    """Return a function that holds a value of the function around it."""
    return lambda: value


def counter() -> Function:
    """Return a function that counts its calls in a variable of the function around it."""
    count = 0

    def count_up() -> int:
        nonlocal count
        count += 1
        return count

    return count_up


def counts_in_a_global() -> int:
    """Count in a variable of the module."""
    global COUNT  # noqa: PLW0603  # what is to be found out
    COUNT += 1
    return COUNT


def remembers(x: int, seen: list[int] = CALLS) -> int:
    """Remember what it was called with."""
    seen.append(x)
    return len(seen)


def imports(x: float) -> float:
    """Import a module, which may be anything."""
    import math as other  # noqa: PLC0415  # what is to be found out

    return other.sin(x)


def sums_by_a_local_function(x: list[int]) -> int:
    """Change a variable of its own from a function within."""
    total = 0

    def add(part: int) -> None:
        nonlocal total
        total += part

    for part in x:
        add(part)
    return total


PURE: list[tuple[Function, set[str]]] = [
    (lambda x: np.flip(x, 0), set()),
    (lambda x: scaled(x) + math.sin(x), set()),
    (factorial, set()),
    (sums_by_a_local_function, set()),
    (closed_over(3), set()),
    (lambda x: (x - MEANS) / np.float32(2), set()),
    (lambda x: [part**2 for part in x if part > SCALE], set()),
    (lambda x: x + np.random.normal(size=x.shape), {"numpy"}),
    (lambda x: x[npr.permutation(len(x))], {"numpy"}),
    (lambda _: normal(), {"numpy"}),
    (lambda _: np.random.default_rng().normal(), {"numpy"}),
    (lambda _: np.random.sample(3), {"numpy"}),
    (lambda x: random.sample(list(x), 2), {"random"}),
    (lambda _: gauss(0, 1) + random.random(), {"random"}),
    (lambda _: np.random.rand() + uniform(0, 1), {"numpy", "random"}),
]
IMPURE: list[tuple[Function, str]] = [
    (counter(), "STORE_DEREF count"),
    (counts_in_a_global, "STORE_GLOBAL COUNT"),
    (remembers, "of list"),
    (imports, "IMPORT_NAME math"),
    (lambda _: CALLS, "'CALLS', of list"),
    (lambda _: GENERATOR.normal(), "'GENERATOR', of Generator"),
    (lambda x: x + VARIANCES, "'VARIANCES', of ndarray"),
    (lambda _: np.random.seed(1), ".seed"),
    (lambda _: random.seed(1), ".seed"),
    (lambda _: np.random.RandomState().rand(), ".RandomState"),
    (lambda _: random.Random().random(), ".Random"),
    (lambda x: open(f"{x}"), "open"),  # noqa: PTH123, SIM115  # never called
    (lambda x: np.save("x", x), ".save"),
    (lambda x: x.__class__, ".__class__"),
    (lambda x: setattr(x, "y", 1), "setattr"),
    (closed_over(CALLS), "of list"),
    (closed_over(counter()), "STORE_DEREF count"),
    (lambda _: undefined_name, "undefined_name"),  # type: ignore[name-defined]  # noqa: F821
]


@pytest.mark.parametrize(("function", "libraries"), PURE)
def test_pure_functions_and_what_they_draw_from(function: Function, libraries: set[str]) -> None:
    assert examine(function) == libraries


@pytest.mark.parametrize(("function", "why"), IMPURE, ids=[why for _, why in IMPURE])
def test_functions_that_may_keep_something(function: Function, why: str) -> None:
    with pytest.raises(purity.ImpureError, match=why.replace(".", r"\.")):
        examine(function)


def seeds(number: int) -> Iterator[Any]:
    """Return the seeds of some elements."""
    return (np.array([index, -index], np.int64) for index in range(number))


def drawn(x: float) -> tuple[float, ...]:
    """Draw in every way."""
    return (
        x + np.random.normal(),
        normal(),
        random.random(),
        gauss(0, 1),
        float(npr.sample()),
        float(np.random.default_rng().random()),
        closed_over(random.random())(),
    )


def test_a_copy_draws_by_the_seed_in_any_order_and_any_thread() -> None:
    by_key = element.drawing_by_key(drawn)
    in_order = [by_key(seed, 0.0) for seed in seeds(300)]
    with ThreadPoolExecutor(8) as pool:
        at_once = list(pool.map(lambda seed: by_key(seed, 0.0), reversed(list(seeds(300)))))
    assert in_order == at_once[::-1]
    by_place = list(zip(*in_order, strict=True))
    assert all(len(set(numbers)) == len(numbers) for numbers in by_place)
    assert np.all(np.abs(np.corrcoef(by_place) - np.eye(len(by_place))) < 0.25)


def test_a_copy_moves_no_generator_that_the_script_draws_from() -> None:
    random.seed(1)
    np.random.seed(1)
    alone = random.random(), np.random.rand()
    random.seed(1)
    np.random.seed(1)
    for seed in seeds(5):
        element.drawing_by_key(drawn)(seed, 0.0)
    assert (random.random(), np.random.rand()) == alone


def test_a_copy_sees_what_its_names_mean_now(monkeypatch: pytest.MonkeyPatch) -> None:
    (seed,) = seeds(1)
    by_key = element.drawing_by_key(scaled)
    assert by_key(seed, 2) == 4
    monkeypatch.setitem(globals(), "SCALE", 5.0)
    assert by_key(seed, 2) == 10


def test_a_copy_shares_the_variables_of_the_function_around_it() -> None:
    strength = 1

    def strong(x: int) -> int:
        return x * strength

    (seed,) = seeds(1)
    by_key = element.drawing_by_key(strong)
    strength = 3
    assert by_key(seed, 2) == 6


def test_a_copy_goes_on_after_an_exception_and_within_itself() -> None:
    (seed,) = seeds(1)

    def fails() -> None:
        raise ValueError(np.random.rand())

    with pytest.raises(ValueError, match="0"):
        element.drawing_by_key(fails)(seed)
    assert element.drawing_by_key(factorial)(seed, 5) == 120
