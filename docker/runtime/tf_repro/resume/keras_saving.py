"""Keras' own files: .keras, .h5 and .weights.h5, saved and loaded by Keras 2 and 3."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from tf_repro import messages, patch
from tf_repro.resume import kernels, moment

# What is at work, so that a function that calls another of these counts once.
_within = False


def _path(args: Any, kwargs: Any, place: int) -> "str | None":
    """Return the file that a function was given, if it is a name."""
    given = args[place] if len(args) > place else kwargs.get("filepath")
    if not isinstance(given, str | os.PathLike):  # Keras 2 opens .h5 by TensorFlow
        given = getattr(given, "name", None)
    return os.fspath(given) if isinstance(given, str | os.PathLike) else None


def _once(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def once(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        global _within  # noqa: PLW0603  # once for each process
        if _within:
            return original(*args, **kwargs)
        _within = True
        try:
            return function(original, *args, **kwargs)
        finally:
            _within = False

    return once


def _save(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Save elsewhere, leave the state, and put the file in its place: whole, or not at all."""
    path = _path(args, kwargs, 1)
    kernels.expect_saves()
    if path is None or "://" in path or Path(path).is_dir() or not moment.is_ours():
        return original(*args, **kwargs)
    # Keras looks at the ending.
    temporary = str(Path(path).with_name(f".tf_repro.{Path(path).name}"))
    if len(args) > 1:
        args = (args[0], temporary, *args[2:])
    else:
        kwargs["filepath"] = temporary
    try:
        done = original(*args, **kwargs)
        if Path(temporary).is_file():
            moment.saved(path, temporary)
            Path(temporary).replace(path)
        return done
    finally:
        Path(temporary).unlink(missing_ok=True)


def _loading(place: int) -> Callable[..., Any]:
    def load(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        path = _path(args, kwargs, place)
        kernels.expect_saves()
        if path is None or not Path(path).is_file():
            return original(*args, **kwargs)
        if place and moment.is_usable(path):
            _expect_optimizer(args[0], path)
        done = original(*args, **kwargs)
        moment.restored(path)
        return done

    return load


def _expect_optimizer(model: Any, path: str) -> None:
    """Have the optimiser's state loaded, too, where the file of weights holds it.

    Keras 3 loads it into an optimiser that is built, as its own backup does, and else leaves it.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        return
    if not hasattr(optimizer, "apply"):  # Keras 2
        messages.warn(
            f"{path} holds no state of the optimiser, which begins anew: save the whole model"
        )
    elif not optimizer.built and model.built:
        optimizer.build(model.trainable_variables)


def _on_saving(module: ModuleType) -> None:
    for name in ("save_model", "save_weights_only", "save_model_to_hdf5"):
        if patch.has(module, name):
            patch.around(module, name)(_once(_save))
    for name, place in (("load_model", 0), ("load_weights_only", 1), ("load_model_from_hdf5", 0)):
        if patch.has(module, name):
            patch.around(module, name)(_once(_loading(place)))


def _on_weights(owner: str) -> Callable[[ModuleType], None]:
    """Return a hook for the methods that write and read weights in .h5 by themselves."""

    def hook(module: ModuleType) -> None:
        for name, function in (("save_weights", _save), ("load_weights", _loading(1))):
            if patch.has(module, f"{owner}{name}"):
                patch.around(module, f"{owner}{name}")(_once(_of_h5(function)))

    return hook


def _of_h5(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def of_h5(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        path = _path(args, kwargs, 1)
        if path is None or not path.endswith((".h5", ".keras", ".hdf5")):
            return original(*args, **kwargs)  # TensorFlow's format, by its own saver
        return function(original, *args, **kwargs)

    return of_h5


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "keras.saving.saving_lib": _on_saving,
    "keras.src.saving.saving_lib": _on_saving,
    "keras.saving.legacy.hdf5_format": _on_saving,
    "keras.src.saving.legacy.hdf5_format": _on_saving,
    "keras.src.legacy.saving.legacy_h5_format": _on_saving,
    "keras.engine.training": _on_weights("Model."),
    "keras.src.engine.training": _on_weights("Model."),
    "keras.src.models.model": _on_weights("Model."),
}
