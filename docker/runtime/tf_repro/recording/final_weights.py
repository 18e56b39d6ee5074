"""The weights at the end of the program, of every model and optimiser that was followed."""

import atexit
import os
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tf_repro.recording import writer
from tf_repro.recording.format import Kind, weights_file

_models: "list[weakref.ref[Any]]" = []
_variables: "dict[int, weakref.ref[Any]]" = {}
_process: "list[int]" = []


def follow(model: Any) -> None:
    """Keep the weights of `model` when the program ends, if it is still there."""
    _at_exit()
    if all(known() is not model for known in _models):
        _models.append(weakref.ref(model))


def follow_variables(variables: Sequence[Any]) -> None:
    """Keep variables that an optimiser updates, of whatever model or of none, in the same way."""
    _at_exit()
    for one in variables:
        _variables[id(one)] = weakref.ref(one)  # one that is gone has left its id to another


def _at_exit() -> None:
    # Registered as late as the first training, and so run before TensorFlow's own.
    if not _process:
        _process.append(os.getpid())
        atexit.register(write)


def write() -> None:
    """Write the weights that are still there, an .npz file for each model."""
    if os.getpid() != _process[0]:
        return
    left = {key: known() for key, known in _variables.items()}
    for number, known in enumerate(_models):
        model = known()
        if model is not None:
            for one in model.weights:
                left.pop(id(one), None)
            _save(f"model {number}", model.weights)
    rest = [one for one in left.values() if one is not None]
    if rest:
        _save("other variables", rest)
    writer.write(Kind.END)


def _save(name: str, variables: Sequence[Any]) -> None:
    names = [str(getattr(one, "path", one.name)) for one in variables]
    arrays = {
        f"{number:04d}": tf.convert_to_tensor(one).numpy() for number, one in enumerate(variables)
    }
    file = weights_file(os.getpid(), name)
    np.savez(writer.folder() / file, **arrays)
    writer.write(Kind.WEIGHTS, model=name, file=file, names=names)
