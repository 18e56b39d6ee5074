"""The weights at the end of the program, of every model and optimiser that was followed."""

import atexit
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from tf_repro.recording import trained, writer
from tf_repro.recording.format import Kind, weights_file

_process: "list[int]" = []


def follow(model: Any) -> None:
    """Keep the weights of `model` when the program ends, if it is still there."""
    _at_exit()
    trained.note_model(model)


def follow_variables(variables: Sequence[Any]) -> None:
    """Keep variables that an optimiser updates, of whatever model or of none, in the same way."""
    _at_exit()
    trained.note_variables(variables)


def _at_exit() -> None:
    # Registered as late as the first training, and so run before TensorFlow's own.
    if not _process:
        _process.append(os.getpid())
        atexit.register(write)


def write() -> None:
    """Write the weights that are still there, an .npz file for each model."""
    if os.getpid() != _process[0]:
        return
    for model, names, arrays in trained.weights():
        file = weights_file(os.getpid(), model)
        by_number: dict[str, Any] = {f"{number:04d}": one for number, one in enumerate(arrays)}
        np.savez(writer.folder() / file, **by_number)
        writer.write(Kind.WEIGHTS, model=model, file=file, names=names)
    writer.write(Kind.END)
