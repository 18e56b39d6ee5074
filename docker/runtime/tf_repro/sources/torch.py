"""PyTorch: the global generators, and the deterministic kernels.

DataLoader's workers seed themselves from the loader's generator and their number, and what they
make without a seed draws from their process' stream.
https://pytorch.org/docs/stable/notes/randomness.html
"""

import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import caller, patch, settings, streams

SEED_BITS = 63  # torch seeds are C longs


def _before_torch(_: ModuleType) -> None:
    if settings.current.deterministic:
        # https://docs.nvidia.com/cuda/cublas/#results-reproducibility
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def _on_torch(module: ModuleType) -> None:
    original_manual_seed = module.random.manual_seed

    def reseed() -> None:
        original_manual_seed(streams.global_seed("torch"))

    def reseed_alone() -> None:
        # A thread that draws holds the generator's mutex, which nothing can take without waiting.
        # A child forked beside threads goes on with its parent's numbers, as without us.
        # https://github.com/pytorch/pytorch/blob/main/torch/csrc/Generator.cpp
        if not streams.forked_beside_threads():
            reseed()

    def seed(_: Callable[..., int]) -> int:
        number = streams.supply("torch.seed", SEED_BITS)
        original_manual_seed(number)
        return number

    def manual_seed(original: Callable[..., Any], seed: Any) -> Any:
        generator = original(seed)
        streams.note_own_seed("torch", int(seed))
        return generator

    for name in ("random.seed", "seed"):
        patch.around(module, name)(seed)
    for name in ("random.manual_seed", "manual_seed"):
        patch.around(module, name)(manual_seed)
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
    patch.put(module, "Generator", Generator)


def _be_strict(module: ModuleType) -> None:
    """Turn worker processes and mixed precision back."""

    @patch.around(module, "utils.data.DataLoader.__init__")
    def init(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
        kwargs = caller.turn_back(
            original, (self, *args), kwargs, {"num_workers": (lambda n: n > 0, 0)}
        )
        # What only makes sense with workers goes with them.
        for name in ("prefetch_factor", "persistent_workers", "timeout", "multiprocessing_context"):
            kwargs.pop(name, None)
        original(**kwargs)

    @patch.around(module, "amp.autocast_mode.autocast.__init__")
    def autocast(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
        wanted = {"enabled": (bool, False)}
        original(**caller.turn_back(original, (self, *args), kwargs, wanted))


BEFORE_IMPORT: dict[str, Callable[[ModuleType], None]] = {"torch": _before_torch}
ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {"torch": _on_torch}
