"""JAX: keys are explicit there, so only its GPU kernels need anything of us."""

import os
from collections.abc import Callable
from types import ModuleType

from tf_repro import settings

# XLA's GPU compiler chooses and runs only deterministic kernels. The flag is in the XLA of jaxlib
# and of TensorFlow alike; one that XLA does not know would end the process, so it is set only
# where there is a GPU that heeds it.
# https://github.com/openxla/xla/blob/main/xla/xla.proto (xla_gpu_deterministic_ops)
FLAG = "--xla_gpu_deterministic_ops"
GPU = "/dev/nvidiactl"


def _before_jax(_: ModuleType) -> None:
    given = os.environ.get("XLA_FLAGS", "")
    has_gpu = os.path.exists(GPU)  # noqa: PTH110  # pathlib costs 4 ms
    if settings.current.deterministic and has_gpu and FLAG not in given:
        os.environ["XLA_FLAGS"] = f"{given} {FLAG}=true".strip()


BEFORE_IMPORT: dict[str, Callable[[ModuleType], None]] = {"jax": _before_jax}
ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {"jax": lambda _: None}
