"""CuPy: the generator of each device, which CuPy seeds as it is first used.

It reads CUPY_SEED then, so that nothing has to touch a device here.
https://docs.cupy.dev/en/stable/reference/environment.html
"""

import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch, streams


def _before_cupy(_: ModuleType) -> None:
    os.environ.setdefault("CUPY_SEED", str(streams.global_seed("cupy")))


def _on_cupy_random(module: ModuleType) -> None:
    """Give what is made without a seed one from a stream, and note what the script seeds."""

    @patch.around(module, "RandomState.seed")
    def seed(original: Callable[..., None], self: Any, seed: Any = None) -> None:
        original(self, streams.supply("cupy.RandomState", 32) if seed is None else seed)

    @patch.around(module, "default_rng")
    def default_rng(original: Callable[..., Any], seed: Any = None) -> Any:
        return original(streams.supply("cupy.default_rng", 32) if seed is None else seed)

    @patch.around(module, "seed")
    def seed_global(original: Callable[..., None], seed: Any = None) -> None:
        original(seed)
        if seed is not None:
            streams.note_own_seed("cupy", seed)


BEFORE_IMPORT: dict[str, Callable[[ModuleType], None]] = {"cupy": _before_cupy}
ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "cupy": lambda _: None,
    "cupy.random": _on_cupy_random,
}
