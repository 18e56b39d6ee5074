"""PyTorch: the global generators, and the deterministic kernels.

DataLoader's workers seed themselves from the loader's generator and their number, and what they
make without a seed draws from their process' stream.
https://pytorch.org/docs/stable/notes/randomness.html
"""

import functools
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import caller, settings, streams

SEED_BITS = 63  # torch seeds are C longs


def _before_torch(_: ModuleType) -> None:
    if settings.current.deterministic:
        # https://docs.nvidia.com/cuda/cublas/#results-reproducibility
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def _on_torch(module: ModuleType) -> None:
    original_seed, original_manual_seed = module.random.seed, module.random.manual_seed

    def reseed() -> None:
        original_manual_seed(streams.global_seed("torch"))

    def reseed_alone() -> None:
        # A thread that draws holds the generator's mutex, which nothing can take without waiting.
        # A child forked beside threads goes on with its parent's numbers, as without us.
        # https://github.com/pytorch/pytorch/blob/main/torch/csrc/Generator.cpp
        if not streams.forked_beside_threads():
            reseed()

    @functools.wraps(original_seed)
    def seed() -> int:
        number = streams.supply("torch.seed", SEED_BITS)
        original_manual_seed(number)
        return number

    @functools.wraps(original_manual_seed)
    def manual_seed(seed: Any) -> Any:
        generator = original_manual_seed(seed)
        streams.note_own_seed("torch", int(seed))
        return generator

    names = {"seed": seed, "manual_seed": manual_seed}
    vars(module.random).update(names)
    vars(module).update(names)
    _replace_generator(module)
    reseed()
    streams.on_new_process("torch", reseed, reseed_alone)
    if settings.current.deterministic:
        module.use_deterministic_algorithms(True)
        module.backends.cudnn.deterministic = True
        module.backends.cudnn.benchmark = False
    if settings.current.mode == "strict":
        _be_strict(module)


def _replace_generator(module: ModuleType) -> None:
    """Give Generator.seed(), which asks the system, a stream; the C type takes no new method."""

    class Generator(module.Generator):  # type: ignore[name-defined,misc]  # torch is not here
        __doc__ = module.Generator.__doc__

        def seed(self) -> int:
            number = streams.supply("torch.Generator", SEED_BITS)
            self.manual_seed(number)
            return number

    Generator.__qualname__, Generator.__module__ = "Generator", "torch"
    module.Generator = Generator  # type: ignore[attr-defined]


def _be_strict(module: ModuleType) -> None:
    """Turn worker processes and mixed precision back."""
    loader = module.utils.data.DataLoader
    original_init, original_autocast = loader.__init__, module.amp.autocast_mode.autocast.__init__

    @functools.wraps(original_init)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        kwargs = caller.turn_back(
            original_init, (self, *args), kwargs, {"num_workers": (lambda n: n > 0, 0)}
        )
        # What only makes sense with workers goes with them.
        for name in ("prefetch_factor", "persistent_workers", "timeout", "multiprocessing_context"):
            kwargs.pop(name, None)
        original_init(**kwargs)

    @functools.wraps(original_autocast)
    def autocast(self: Any, *args: Any, **kwargs: Any) -> None:
        wanted = {"enabled": (bool, False)}
        original_autocast(**caller.turn_back(original_autocast, (self, *args), kwargs, wanted))

    loader.__init__ = init
    module.amp.autocast_mode.autocast.__init__ = autocast


BEFORE_IMPORT: dict[str, Callable[[ModuleType], None]] = {"torch": _before_torch}
ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {"torch": _on_torch}
