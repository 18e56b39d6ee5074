"""CuPy: the generator of each device, which CuPy seeds as it is first used.

It reads CUPY_SEED then, so that nothing has to touch a device here.
https://docs.cupy.dev/en/stable/reference/environment.html
"""

import functools
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import streams


def _before_cupy(_: ModuleType) -> None:
    os.environ.setdefault("CUPY_SEED", str(streams.global_seed("cupy")))


def _on_cupy_random(module: ModuleType) -> None:
    """Give what is made without a seed one from a stream, and note what the script seeds."""
    state = module.RandomState
    original_seed, original_default = state.seed, module.default_rng
    original_global = module.seed

    @functools.wraps(original_seed)
    def seed(self: Any, seed: Any = None) -> None:
        original_seed(self, streams.supply("cupy.RandomState", 32) if seed is None else seed)

    @functools.wraps(original_default)
    def default_rng(seed: Any = None) -> Any:
        return original_default(streams.supply("cupy.default_rng", 32) if seed is None else seed)

    @functools.wraps(original_global)
    def seed_global(seed: Any = None) -> None:
        original_global(seed)
        if seed is not None:
            streams.note_own_seed("cupy", seed)

    state.seed = seed
    module.default_rng = default_rng  # type: ignore[attr-defined]  # a module takes any name
    module.seed = seed_global  # type: ignore[attr-defined]


BEFORE_IMPORT: dict[str, Callable[[ModuleType], None]] = {"cupy": _before_cupy}
ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "cupy": lambda _: None,
    "cupy.random": _on_cupy_random,
}
