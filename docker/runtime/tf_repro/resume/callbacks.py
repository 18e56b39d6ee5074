"""What Keras' callbacks, metrics and learning rates keep outside of a checkpoint.

EarlyStopping counts epochs, ReduceLROnPlateau remembers its best loss, History keeps all losses:
plain numbers in Python, as most callbacks of a script's own have. Weights are none of them.
"""

from typing import Any

from tf_repro import messages

# Callbacks that keep nothing that decides what a training does.
_LEFT_OUT = {"ProgbarLogger", "TensorBoard", "TqdmCallback", "RemoteMonitor"}
_BACKUP = "BackupAndRestore"
# Of a callback, what belongs to the run and not to the training. Keras 3 turns the sign of
# min_delta around at the first epoch of a run.
_ITS_OWN = {"params", "model", "_model", "validation_data", "verbose", "min_delta"}
# Numbers in one value that is kept.
_LARGEST = 4096


def is_backup(callback: Any) -> bool:
    """Return whether a callback backs up the training for an interruption."""
    return any(base.__name__ == _BACKUP for base in type(callback).__mro__)


def _plain(value: Any, left: int = _LARGEST) -> Any:
    """Return what JSON can hold of a plain value.

    Raises:
        TypeError: it is not plain, or has too many parts.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return {"float": value.hex()}
    if isinstance(value, list | tuple) and len(value) <= left:
        return {"list": [_plain(each, left // 4 + 1) for each in value]}
    if isinstance(value, dict) and len(value) <= left and all(isinstance(k, str) for k in value):
        return {"dict": {key: _plain(each, left) for key, each in value.items()}}
    if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0:
        return {"numpy": [value.dtype.str, value.tobytes().hex()]}
    raise TypeError(type(value).__name__)


def _unplain(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, of),) = value.items()
    if kind == "float":
        return float.fromhex(of)
    if kind == "list":
        return [_unplain(each) for each in of]
    if kind == "dict":
        return {key: _unplain(each) for key, each in of.items()}
    import numpy as np  # noqa: PLC0415  # Keras has it by now

    return np.frombuffer(bytes.fromhex(of[1]), np.dtype(of[0]))[0]


def _attributes(callback: Any) -> dict[str, Any]:
    kept = {}
    for name, value in vars(callback).items():
        if name not in _ITS_OWN:
            try:
                kept[name] = _plain(value)
            except TypeError:
                continue
    return kept


def _numbered(callback_list: Any) -> "list[tuple[str, Any]]":
    counts: dict[str, int] = {}
    named = []
    for callback in callback_list.callbacks:
        kind = type(callback).__name__
        number = counts[kind] = counts.get(kind, -1) + 1
        if kind not in _LEFT_OUT:
            named.append((f"{kind}#{number}", callback))
    return named


def save(callback_list: Any) -> dict[str, Any]:
    """Return the plain attributes of each callback."""
    return {name: _attributes(callback) for name, callback in _numbered(callback_list)}


def restore(callback_list: Any, state: dict[str, Any]) -> None:
    """Give the callbacks their attributes back."""
    for name, callback in _numbered(callback_list):
        for attribute, value in state.get(name, {}).items():
            plain = _unplain(value)
            if isinstance(vars(callback).get(attribute), tuple):
                plain = tuple(plain)
            setattr(callback, attribute, plain)
        if getattr(callback, "restore_best_weights", False) and state.get(name, {}).get("wait"):
            messages.warn(
                f"{name.partition('#')[0]} had its best weights in memory, which no checkpoint "
                "holds: should it stop before there are better ones, they are not restored"
            )


def _rate(model: Any) -> Any:
    rate = getattr(getattr(model, "optimizer", None), "learning_rate", None)
    return rate if hasattr(rate, "assign") else None


def learning_rate(model: Any) -> Any:
    """Return the learning rate, which a callback may have changed since the weights were saved."""
    import tensorflow as tf  # noqa: PLC0415  # as above

    rate = _rate(model)
    return None if rate is None else float(tf.convert_to_tensor(rate).numpy()).hex()


def set_learning_rate(model: Any, rate: Any) -> None:
    """Set the learning rate to what it was."""
    variable = _rate(model)
    if variable is not None and rate is not None:
        variable.assign(float.fromhex(rate))
