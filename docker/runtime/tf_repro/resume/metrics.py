"""Keras' metrics in the middle of an epoch: they go on where they were.

Most are made while the first step is traced, and so begin with what they had instead of zero.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import ModuleType
from typing import Any

from tf_repro import messages, patch
from tf_repro.resume import global_states

# Bytes of all metrics of a model that are kept.
LARGEST = 16384
# Which variable of which metric -> its value, until that is made.
_to_come: dict[str, Any] = {}
# Metrics of which it is said that they begin anew; they have a variable each, or more.
_told: set[str] = set()
_HOLDERS = ("CompileMetrics", "MetricsList")


def _leaves(metrics: Any) -> Iterator[Any]:
    for metric in metrics:
        if type(metric).__name__ in _HOLDERS:
            yield from _leaves(metric.metrics)
        else:
            yield metric


def _variables(model: Any) -> dict[str, Any]:
    """Return the variables of a model's metrics, by the metric's name and a number."""
    metrics = list(_leaves(model.metrics))
    # Keras 2 makes it at once, and counts it among a model's metrics after the first step.
    of_loss = getattr(getattr(model, "compiled_loss", None), "_total_loss_mean", None)
    if of_loss is not None and all(metric is not of_loss for metric in metrics):
        metrics.append(of_loss)
    return {
        f"{metric.name}/{number}": variable
        for metric in metrics
        for number, variable in enumerate(metric.variables)
    }


def save(model: Any) -> dict[str, Any]:
    """Return the values of a model's metrics so far; none where they are too many."""
    import tensorflow as tf  # noqa: PLC0415  # Keras has it by now

    values = {
        name: [tf.convert_to_tensor(each).numpy() for each in _by_replica(variable)]
        for name, variable in _variables(model).items()
    }
    if sum(each.nbytes for value in values.values() for each in value) > LARGEST:
        messages.warn("the metrics are too large to be kept: those of a resumed epoch begin anew")
        return {}
    return {
        name: [global_states.encoded(each.reshape(-1)) for each in value]
        for name, value in values.items()
    }


def _by_replica(variable: Any) -> Sequence[Any]:
    """Return what a variable is made of: Keras 2 has a value of a metric for each replica.

    Whoever reads the variable gets their sum, and which of them has how much of it decides the
    last bits of the sums to come.
    """
    values: Sequence[Any] = getattr(variable, "_values", ())
    return values or (variable,)


def _put(name: str, variable: Any, values: Sequence[Any]) -> None:
    parts = _by_replica(variable)
    if len(parts) != len(values):  # on another number of replicas
        _say_lost([name])
        values = [0 * value for value in values[:1]] * len(parts)
    for each, value in zip(parts, values, strict=True):
        each.assign(value.reshape(tuple(each.shape)))


def restore(model: Any, state: dict[str, Any]) -> None:
    """Give the metrics their values back: now, or as they are made."""
    _to_come.clear()
    _told.clear()
    for name, values in state.items():
        _to_come[name] = [global_states.decoded(value) for value in values]
    for name, variable in _variables(model).items():
        if name in _to_come:
            _put(name, variable, _to_come.pop(name))


def end_of_epoch() -> None:
    """Forget what no metric was made for, and say so."""
    _say_lost(_to_come)
    _to_come.clear()


def _say_lost(variables: Iterable[str]) -> None:
    names = {name.partition("/")[0] for name in variables} - _told
    _told.update(names)
    if names:
        said = ", ".join(sorted(names))
        messages.warn(f"of this epoch, metrics begin where it was resumed: {said}")


def _on_metric(method: str) -> Callable[[ModuleType], None]:
    def hook(module: ModuleType) -> None:
        @patch.around(module, f"Metric.{method}")
        def add(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
            if not _to_come:
                return original(self, *args, **kwargs)
            name = f"{self.name}/{len(self.variables)}"
            values = _to_come.pop(name, None)
            if values is None:
                return original(self, *args, **kwargs)
            kwargs["initializer"] = lambda shape, dtype=None, **_: _constant(
                values[0], shape, dtype
            )
            args = args[:1]  # the name or the shape, and no other initializer
            made = original(self, *args, **kwargs)
            if len(values) > 1 or len(_by_replica(made)) > 1:
                with sys.modules["tensorflow"].init_scope():
                    _put(name, made, values)
            return made

    return hook


def _constant(value: Any, shape: Any, dtype: Any) -> Any:
    import tensorflow as tf  # noqa: PLC0415  # as above

    return tf.reshape(tf.constant(value, dtype), shape)


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    # Keras 2: 2.12, and 2.13 to 2.15.
    "keras.metrics.base_metric": _on_metric("add_weight"),
    "keras.src.metrics.base_metric": _on_metric("add_weight"),
    # Keras 3.
    "keras.src.metrics.metric": _on_metric("add_variable"),
}
