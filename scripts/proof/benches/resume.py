"""What resuming costs: a start, a step and a checkpoint, with it and without, side by side.

Runs inside the container (`make bench-resume`). Two interpreters, one with TF_REPRO_RESUME=on and
one with it off, do the same in turn, so that a busy machine slows both. The checkpoint is of 54 MB:
a model and two slots of Adam for each of its weights.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import side_by_side
from .side_by_side import ask

STATE = "*.tf_repro.json"
LARGEST = 50  # kB of a state
RESUME, SETTINGS = "TF_REPRO_RESUME", ("off", "on")
# What is timed -> (how often, the limit of the ratio).
TIMED = {
    "a step of a loop": (15, 1.01),
    "a step of fit": (15, 1.01),
    "CheckpointManager.save": (40, 1.02),
    "an epoch with BackupAndRestore": (20, 1.02),
}
STARTS, START_LIMIT = 6, 1.01
STEPS = 200


def tasks(folder: str) -> dict[str, Callable[[], object]]:
    """Return what is timed, by its name."""
    import numpy as np
    import tensorflow as tf

    keras = tf.keras
    x, y = np.random.rand(32 * STEPS, 64), np.random.rand(32 * STEPS, 1)

    def model(width: int) -> Any:
        dense, dropout = keras.layers.Dense, keras.layers.Dropout
        made = keras.Sequential([dense(width), dropout(0.1), dense(width), dense(1)])
        made.compile("adam", "mse")
        made.fit(x[:32], y[:32], verbose=0)
        return made

    small, large = model(64), model(2048)
    checkpoint = tf.train.Checkpoint(model=large, optimizer=large.optimizer)
    manager = tf.train.CheckpointManager(checkpoint, f"{folder}/managed", max_to_keep=2)
    batches = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(1000).batch(32)
    backup = keras.callbacks.BackupAndRestore(f"{folder}/backup")
    loss, optimizer = keras.losses.MeanSquaredError(), keras.optimizers.SGD()

    def step(batch: Any, wanted: Any) -> Any:
        with tf.GradientTape() as tape:
            value = loss(wanted, small(batch, training=True))
        weights = small.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(value, weights), weights, strict=True))
        return value

    traced = tf.function(step)

    def loop() -> None:
        for batch, wanted in batches:
            traced(batch, wanted)

    def backed_up() -> None:
        large.fit(x[:32], y[:32], verbose=0, callbacks=[backup])

    does = (loop, lambda: small.fit(batches, verbose=0), manager.save, backed_up)
    return dict(zip(TIMED, does, strict=True))


def importing(setting: str) -> float:
    """Return how many milliseconds a process takes that imports TensorFlow and Keras."""
    started = time.perf_counter()
    argv = [sys.executable, "-c", "import tensorflow as tf; tf.keras.Model"]
    environ = {**os.environ, RESUME: setting, "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run(argv, env=environ, check=True, stderr=subprocess.DEVNULL)
    return (time.perf_counter() - started) * 1000


def judged(name: str, limit: float, pairs: list[tuple[float, float]]) -> dict[str, Any]:
    """Return the figures of pairs of times, without and with, and whether they are over a limit."""
    figures = side_by_side.compared(pairs)
    return {"what": name, "limit": limit, "over": side_by_side.is_over(figures, limit), **figures}


def main() -> int:
    """Print what each takes on both sides; return 1 if one is over its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.work:
        side_by_side.serve(tasks(chosen.work))
        return 0
    results = []

    def tell(result: dict[str, Any]) -> None:
        results.append(result)
        if not chosen.json:
            print(
                f"{result['what']:31} without {result['without_ms']:8.1f} ms, with "
                f"{result['with_ms']:8.1f} ms: ratio {result['ratio']:.3f} (median "
                f"{result['median_ratio']:.3f}), limit {result['limit']}"
                f"{' OVER' if result['over'] else ''}",
                flush=True,
            )

    root = Path(tempfile.mkdtemp())
    workers = []
    for setting in SETTINGS:
        (root / setting).mkdir()
        worker = side_by_side.start("resume", {RESUME: setting}, str(root / setting))
        side_by_side.names(worker)  # one after the other: both begin when both are ready
        workers.append(worker)
    for name, (times, limit) in TIMED.items():
        for worker in workers:
            ask(worker, name)  # the first time traces
        pairs = [(ask(workers[0], name), ask(workers[1], name)) for _ in range(times)]
        tell(judged(name, limit, pairs))
    for worker in workers:
        worker.communicate()
    states = sorted(root.rglob(STATE))
    size = max(state.stat().st_size for state in states) / 1000
    if not chosen.json:
        print(f"{'the state beside a checkpoint':31} {size:.1f} kB, limit {LARGEST}", flush=True)
    shutil.rmtree(root)
    importing(SETTINGS[0])
    pairs = [(importing(SETTINGS[0]), importing(SETTINGS[1])) for _ in range(STARTS)]
    tell(judged("import tensorflow", START_LIMIT, pairs))
    if chosen.json:
        print(json.dumps([*results, {"what": "state", "kilobytes": size}], indent=1))
    return int(any(result["over"] for result in results) or size > LARGEST)


if __name__ == "__main__":
    sys.exit(main())
