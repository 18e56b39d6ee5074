"""NumPy: the global RandomState, and everything that is made without a seed.

default_rng(), SeedSequence(), every BitGenerator, RandomState() and seed(None) all take their
entropy from one module global, numpy.random.bit_generator.randbits (NumPy 1.24 to 2.4).
https://github.com/numpy/numpy/blob/main/numpy/random/bit_generator.pyx
"""

from collections.abc import Callable
from functools import wraps
from types import ModuleType

from tf_repro import cpu, start, streams


def _randbits(k: int) -> int:
    """Stand in for secrets.randbits."""
    return streams.supply("numpy.entropy", k)


def _on_numpy_random(module: ModuleType) -> None:
    original_seed = module.seed

    @wraps(original_seed)
    def seed(*args: object, **kwargs: object) -> None:
        original_seed(*args, **kwargs)
        given = args[0] if args else kwargs.get("seed")
        if given is not None:
            streams.note_own_seed("numpy", given)

    def reseed() -> None:
        original_seed(streams.global_seed("numpy"))

    module.bit_generator.randbits = _randbits
    module.seed = seed  # type: ignore[attr-defined]
    reseed()
    streams.on_new_process("numpy", reseed)


def _before_numpy(_: ModuleType) -> None:
    line = cpu.prepare()
    if line:
        start.warn(line)


BEFORE_IMPORT: dict[str, Callable[[ModuleType], None]] = {"numpy": _before_numpy}
ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "numpy": lambda _: None,
    "numpy.random": _on_numpy_random,
}
