"""What a training runs on: devices, and threads as the program has set them."""

from typing import Any

import tensorflow as tf


def describe() -> "dict[str, Any]":
    """Return both, as plain JSON."""
    threading_of = tf.config.threading
    return {
        "devices": [one.name for one in tf.config.list_logical_devices()],
        "threads": {
            "intra_op": threading_of.get_intra_op_parallelism_threads(),
            "inter_op": threading_of.get_inter_op_parallelism_threads(),
        },
    }
