"""What every program of the proof prints: one line of JSON with digests of all that it computed."""

import hashlib
import json
import sys
import time

import numpy as np
import tensorflow as tf

# How much larger than on a CPU the programs are to be: the same program, more of everything.
SCALE = int(sys.argv[1]) if len(sys.argv) > 1 else 1
# Tracing and the choice of cuDNN's algorithms fall into the first steps.
WARM_UP = 3


class Steps(tf.keras.callbacks.Callback):
    """Keeps the loss after each step, and the time that each took."""

    def __init__(self):
        super().__init__()
        self.losses, self.seconds = [], []

    def on_train_batch_begin(self, batch, logs=None):
        self.started = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.seconds.append(time.perf_counter() - self.started)
        self.losses.append(logs["loss"])


def digest(arrays):
    """Return a SHA-256 over arrays: their types, shapes and bytes."""
    sha = hashlib.sha256()
    for array in map(np.asarray, arrays):
        sha.update(f"{array.dtype} {array.shape}".encode())
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()


def report(weights, losses, seconds=(), **more):
    """Print the line."""
    timed = sorted(seconds[WARM_UP:])
    line = {
        "weights": digest(weights),
        "losses": digest([np.asarray(losses, np.float64)]),
        "last_loss": float(losses[-1]),
        "step_ms": 1000 * timed[len(timed) // 2] if timed else None,
        "devices": [
            tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
            for gpu in tf.config.list_physical_devices("GPU")
        ],
        **more,
    }
    assert np.isfinite(line["last_loss"])
    print(json.dumps(line))


def fit(model, inputs, targets, batch=16, epochs=2):
    """Train a compiled model, shuffled, and report."""
    steps = Steps()
    model.fit(inputs, targets, batch_size=batch, epochs=epochs, verbose=0, callbacks=[steps])
    report(model.get_weights(), steps.losses, steps.seconds)
