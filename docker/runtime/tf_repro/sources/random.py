"""Python's `random`: the global generator, and every Random that is seeded with nothing.

SystemRandom overrides seed() with a method that does nothing, and so stays truly random.
"""

import os
import random
import sys
from collections.abc import Callable
from types import ModuleType

from tf_repro import patch, streams

# As many bits as CPython takes from the system for an unseeded generator: all 624 words.
# https://github.com/python/cpython/blob/3.11/Modules/_randommodule.c
ENTROPY_BITS = 624 * 32

# Whose unseeded Random() is left to the system, and why; modules that draw from `random` itself are
# in the table IDENTITIES.
LEFT_RANDOM = {
    # Two programs that share /tmp or /dev/shm must not try the same names in the same order, and
    # nobody should be able to guess them.
    "tempfile": "names of temporary files",
    # It seeds `random` for the tests, too, which another `random` of its own would keep from it.
    "pytest_randomly": "the seed that shuffles the tests of a session",
}

_original_seed = random.Random.seed


def _asked_by() -> str:
    """Return the name of the module that wants a generator seeded, from outside `random`."""
    frame = sys._getframe(3)  # past the two functions that stand in for Random.seed
    while frame.f_back is not None and _is_between(str(frame.f_globals.get("__name__"))):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__"))


def _is_between(module: str) -> bool:
    return module == "random" or module.startswith("tf_repro.")


_global: random.Random = random._inst


def reseed() -> None:
    """Give the global generator of this process, or task, its seed."""
    _original_seed(_global, streams.global_seed("random"))


def _on_random(module: ModuleType) -> None:

    @patch.around(module, "Random.seed")
    def seed(
        original: Callable[..., None],
        self: random.Random,
        a: "int | float | str | bytes | bytearray | None" = None,
        version: int = 2,
    ) -> None:
        if a is None and _asked_by() not in LEFT_RANDOM:
            a = streams.supply("random.Random", ENTROPY_BITS)
        elif self is _global:
            streams.note_own_seed("random", a)
        original(self, a, version)

    # It was bound to the old method when the module was executed.
    patch.put(module, "seed", _global.seed)
    reseed()
    streams.on_new_process("random", reseed)
    # CPython registers a hook of its own that reseeds from the system in every forked child;
    # ours is registered later, and so runs after it.
    # https://github.com/python/cpython/blob/3.11/Lib/random.py (last lines)
    os.register_at_fork(after_in_child=streams.reseed_forked)


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {"random": _on_random}
