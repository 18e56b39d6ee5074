"""NumPy: the global RandomState, and everything that is made without a seed.

default_rng(), SeedSequence(), every BitGenerator, RandomState() and seed(None) all take their
entropy from one module global, numpy.random.bit_generator.randbits (NumPy 1.24 to 2.4).
https://github.com/numpy/numpy/blob/main/numpy/random/bit_generator.pyx
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import messages, patch, streams
from tf_repro.machine import cpu


def _randbits(k: int) -> int:
    """Stand in for secrets.randbits."""
    return streams.supply("numpy.entropy", k)


def _seeded_like(old: Any, legacy: type) -> Any:
    """Return a bit generator of the type of `old`, with the seed of this process, or task.

    np.random.seed would wait for the lock of the old one, which another thread holds while it
    draws: in a child that is forked meanwhile, for ever. The new one has a lock of its own.
    """
    number = streams.global_seed("numpy")
    if type(old) is not legacy:  # by np.random.set_bit_generator
        return type(old)(number)
    new = legacy(0)  # with no number it would take one from a stream
    new._legacy_seeding(number)  # what np.random.seed calls
    return new


def _on_numpy_random(module: ModuleType) -> None:
    original_seed = module.seed

    @patch.around(module, "seed")
    def seed(original: Callable[..., None], *args: object, **kwargs: object) -> None:
        original(*args, **kwargs)
        given = args[0] if args else kwargs.get("seed")
        if given is not None:
            streams.note_own_seed("numpy", given)

    # It is where pickle looks for it, as for the initialiser of a pool that spawns.
    patch.put(module, "mtrand.seed", module.seed)

    def reseed() -> None:
        original_seed(streams.global_seed("numpy"))

    def reseed_forked() -> None:
        module.set_bit_generator(_seeded_like(module.get_bit_generator(), module.MT19937))

    patch.put(module, "bit_generator.randbits", _randbits)
    reseed()
    streams.on_new_process("numpy", reseed, reseed_forked)


def _before_numpy(_: ModuleType) -> None:
    line = cpu.prepare()
    if line:
        messages.warn(line)


BEFORE_IMPORT: dict[str, Callable[[ModuleType], None]] = {"numpy": _before_numpy}
ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "numpy": lambda _: None,
    "numpy.random": _on_numpy_random,
}
