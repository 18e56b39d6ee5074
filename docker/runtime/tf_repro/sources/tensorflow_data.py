"""tf.data: what follows the number of processors, and what strict mode turns back.

Under TF_DETERMINISTIC_OPS, tf.data keeps its elements in order by itself.
"""

import functools
import inspect
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import caller, environment, settings

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
    dataset = module.DatasetV2
    if settings.current.mode == "strict":
        for name, rules in STRICT.items():
            original = getattr(dataset, name, None)
            if original is not None:
                setattr(dataset, name, _turned_back(original, {**PARALLEL, **rules}))
        _keep_options_deterministic(dataset)
    dataset.interleave = _fixed_cycle(dataset.interleave)


def _turned_back(original: Callable[..., Any], rules: Rules) -> Callable[..., Any]:
    known = inspect.signature(original).parameters
    rules = {name: rule for name, rule in rules.items() if name in known}

    @functools.wraps(original)
    def method(*args: Any, **kwargs: Any) -> Any:
        # Keras autotunes its own pipelines, and nobody can do anything about that.
        quiet = caller.is_called_by_library(besides="tensorflow")
        return original(**caller.turn_back(original, args, kwargs, rules, quiet=quiet))

    return method


def _keep_options_deterministic(dataset: Any) -> None:
    original = dataset.with_options

    @functools.wraps(original)
    def with_options(self: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        if options.deterministic is False:
            caller.warn("Options.deterministic=False is turned back to True")
            options.deterministic = True
        return original(self, options, *args, **kwargs)

    dataset.with_options = with_options


def _fixed_cycle(original: Callable[..., Any]) -> Callable[..., Any]:
    """Fix how many inputs interleave takes in turn, which by default is the number of CPUs.

    It decides the order of the elements.
    https://www.tensorflow.org/api_docs/python/tf/data/Dataset#interleave
    """
    signature = inspect.signature(original)

    @functools.wraps(original)
    def interleave(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        cycle = bound.arguments.get("cycle_length")
        if cycle is None or _is_autotune(cycle):
            name = "TF_NUM_INTRAOP_THREADS"
            fixed = os.environ.get(name, environment.MACHINE[name])
            bound.arguments["cycle_length"] = int(fixed)
        return original(*bound.args, **bound.kwargs)

    return interleave


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "tensorflow.python.data.ops.dataset_ops": _on_dataset_ops
}
