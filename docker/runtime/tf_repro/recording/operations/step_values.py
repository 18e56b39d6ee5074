"""The gradients and weights of the one step that `--bisect` looks into, as they are."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tf_repro.recording import writer
from tf_repro.recording.format import step_file
from tf_repro.recording.operations import log

GRADIENTS, WEIGHTS = "gradients", "weights"
LARGEST = 256 << 20  # bytes of one step's gradients or weights that are kept
_kept: set[tuple[str, str]] = set()


def keep(series: str, what: str, tensors: Sequence[Any]) -> Any:
    """Keep tensors of any shape if this is the step in question; None leaves its place empty.

    Returns:
        what has to be computed before the step may end: a uint8 scalar.
    """
    places = [number for number, one in enumerate(tensors) if one is not None]
    dense = [tf.convert_to_tensor(tensors[number]) for number in places]

    def write(*values: Any) -> Any:
        # A replica's own gradients have the same names: the first one's are kept.
        if log.is_at_step() and (series, what) not in _kept:
            _kept.add((series, what))
            if sum(one.nbytes for one in values) <= LARGEST:
                arrays = {f"{place:04d}": one for place, one in zip(places, values, strict=True)}
                np.savez(writer.folder() / step_file(series, what), **arrays)
        return np.uint8(0)

    if tf.executing_eagerly():
        return tf.constant(write(*(one.numpy() for one in dense)))
    return tf.numpy_function(write, dense, tf.uint8)
