"""Keras: fit() with a Sequence or PyDataset, several workers, and mixed precision.

Threads share one global generator, and the clock decides which draws first: more than one is
turned back to one in every mode but off. Processes draw from the streams of their tasks, and are
turned back in mode strict alone.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import caller, patch, settings

Rules = dict[str, tuple[Callable[[Any], bool], Any]]


def _rules(*, processes: bool) -> Rules:
    """Return what is turned back for an enqueuer of threads, or of processes."""
    rules: Rules = {}
    if settings.current.mode == "strict":
        rules["use_multiprocessing"] = bool, False
    if settings.current.mode == "strict" or not processes:
        rules["workers"] = (lambda number: number > 1), 1
    return rules


def _turning_back(name: str) -> Callable[[ModuleType], None]:
    """Return a hook for the class `name` that takes workers and use_multiprocessing."""

    def hook(module: ModuleType) -> None:
        @patch.around(module, f"{name}.__init__")
        def init(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
            rules = _rules(processes=bool(kwargs.get("use_multiprocessing")))
            original(**caller.turn_back(original, (self, *args), kwargs, rules))

    return hook


def _on_policy(module: ModuleType) -> None:
    """Mixed precision, which strict mode turns back; set_global_policy is Keras 3's alias."""
    if settings.current.mode != "strict":
        return
    for name in ("set_dtype_policy", "set_global_policy"):
        if patch.has(module, name):
            patch.around(module, name)(_full_precision)


def _full_precision(original: Callable[..., None], policy: Any) -> None:
    if "mixed" in str(getattr(policy, "name", policy)):
        caller.warn(f"{original.__name__}({policy!r}) is turned back to 'float32'")
        policy = "float32"
    original(policy)


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    # Keras 2: 2.13 to 2.15, and 2.12.
    "keras.src.engine.data_adapter": _turning_back("KerasSequenceAdapter"),
    "keras.engine.data_adapter": _turning_back("KerasSequenceAdapter"),
    # Keras 3.
    "keras.src.trainers.data_adapters.py_dataset_adapter": _turning_back("OrderedEnqueuer"),
    "keras.src.mixed_precision.policy": _on_policy,
    "keras.mixed_precision.policy": _on_policy,
    "keras.src.dtype_policies.dtype_policy": _on_policy,
}
