"""tf.data: what follows the number of processors, and what strict mode turns back.

Under TF_DETERMINISTIC_OPS, tf.data keeps its elements in order by itself.
"""

import inspect
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import caller, environment, patch, settings
from tf_repro.draws import pipelines

AUTOTUNE = -1
# What strict mode gives instead of a buffer whose size follows the clock.
PREFETCH = 2

Rules = dict[str, tuple[Callable[[Any], bool], Any]]


def _is_autotune(value: Any) -> bool:
    return isinstance(value, int) and value == AUTOTUNE


STRICT: dict[str, Rules] = {
    "map": {},
    "interleave": {},
    "batch": {},
    "padded_batch": {},
    "ragged_batch": {},
    "prefetch": {"buffer_size": (_is_autotune, PREFETCH)},
}
PARALLEL: Rules = {
    "num_parallel_calls": (_is_autotune, None),
    "deterministic": (lambda value: value is False, None),
}


def _on_dataset_ops(module: ModuleType) -> None:
    if settings.current.mode == "strict":
        for name, rules in STRICT.items():
            if patch.has(module, f"DatasetV2.{name}"):
                patch.around(module, f"DatasetV2.{name}")(_turned_back({**PARALLEL, **rules}))
        patch.around(module, "DatasetV2.with_options")(_with_deterministic_options)
    patch.around(module, "DatasetV2.interleave")(_with_fixed_cycle)
    pipelines.on_dataset_ops(module)


def _turned_back(rules: Rules) -> Callable[..., Any]:
    def method(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        # Keras autotunes its own pipelines, and nobody can do anything about that.
        quiet = caller.is_called_by_library(besides="tensorflow")
        known = inspect.signature(original).parameters
        its_own = {name: rule for name, rule in rules.items() if name in known}
        return original(**caller.turn_back(original, args, kwargs, its_own, quiet=quiet))

    return method


def _with_deterministic_options(
    original: Callable[..., Any], self: Any, options: Any, *args: Any, **kwargs: Any
) -> Any:
    if options.deterministic is False:
        caller.warn("Options.deterministic=False is turned back to True")
        options.deterministic = True
    return original(self, options, *args, **kwargs)


def _with_fixed_cycle(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Fix how many inputs interleave takes in turn, which by default is the number of CPUs.

    It decides the order of the elements.
    https://www.tensorflow.org/api_docs/python/tf/data/Dataset#interleave
    """
    bound = inspect.signature(original).bind(*args, **kwargs)
    cycle = bound.arguments.get("cycle_length")
    if cycle is None or _is_autotune(cycle):
        name = "TF_NUM_INTRAOP_THREADS"
        fixed = os.environ.get(name, environment.MACHINE[name])
        bound.arguments["cycle_length"] = int(fixed)
    return original(*bound.args, **bound.kwargs)


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "tensorflow.python.data.ops.dataset_ops": _on_dataset_ops
}
