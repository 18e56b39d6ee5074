"""What drawing by key costs: pipelines that augment, with us and without, side by side.

Runs inside the container (`make bench-pipelines`). Two interpreters, one in mode deterministic and
one in mode off, run an epoch of each pipeline in turn, so that a busy machine slows both.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

# Of the time without us.
LIMIT = 1.05
EPOCHS = 9
ELEMENTS, SIDE = 1024, 160
MODES = ("off", "deterministic")


def pipelines() -> dict[str, Callable[[], Iterable[object]]]:
    """Return a function for each pipeline that makes its dataset."""
    import numpy as np
    import tensorflow as tf

    data, images = tf.data, np.random.default_rng(0).random((64, SIDE, SIDE, 3), np.float32)
    auto = data.AUTOTUNE

    def source() -> Any:
        return data.Dataset.from_tensor_slices(images).repeat(ELEMENTS // len(images))

    def augment(image: Any) -> Any:
        image = tf.image.random_flip_left_right(image)
        image = tf.image.random_brightness(image, 0.2)
        image = tf.image.random_contrast(image, 0.8, 1.2)
        return tf.image.random_crop(image, [SIDE - 16, SIDE - 16, 3])

    def noise(image: Any) -> Any:
        return tf.clip_by_value(image + tf.random.normal(tf.shape(image), stddev=0.05), 0.0, 1.0)

    def in_python(image: Any) -> Any:
        return image + np.random.normal(0.0, 0.05, image.shape).astype(np.float32)

    def cut(image: Any) -> Any:
        left, top = np.random.randint(0, 16, 2)
        return image[left : left + SIDE - 16, top : top + SIDE - 16]

    def by_numpy(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda image: tf.numpy_function(function, [image], tf.float32)

    generator = tf.random.Generator.from_non_deterministic_state()
    layers = tf.keras.layers
    layer = tf.keras.Sequential([layers.RandomFlip(), layers.RandomRotation(0.1)])
    layer(images[:32], training=True)

    return {
        "tf.image.random_*": lambda: source().map(augment, auto).batch(32).prefetch(auto),
        "tf.random noise": lambda: source().map(noise, auto).batch(32).prefetch(auto),
        "by batches": lambda: source().batch(32).map(noise, auto).prefetch(auto),
        "tf.random.Generator": lambda: (
            source()
            .map(lambda image: image * generator.uniform([], 0.8, 1.2), auto)
            .batch(32)
            .prefetch(auto)
        ),
        "NumPy noise": lambda: source().map(by_numpy(in_python), auto).batch(32).prefetch(auto),
        "NumPy crop": lambda: source().map(by_numpy(cut), auto).batch(32).prefetch(auto),
        "Keras' layers": lambda: (
            source().batch(32).map(lambda b: layer(b, training=True), auto).prefetch(auto)
        ),
    }


def work() -> None:
    """Say which pipelines there are; run an epoch of each that stdin names, and time it.

    The names are one line of JSON, a time is a line of milliseconds.
    """
    datasets = {name: make() for name, make in pipelines().items()}
    print(json.dumps(list(datasets)), flush=True)
    for line in sys.stdin:
        started = time.perf_counter()
        for _ in datasets[line.strip()]:
            pass
        print((time.perf_counter() - started) * 1000, flush=True)


def start(mode: str) -> "subprocess.Popen[str]":
    """Start an interpreter that works in a mode."""
    return subprocess.Popen(
        [sys.executable, __file__, "--work"],
        env={**os.environ, "TF_REPRO": mode, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def ask(worker: "subprocess.Popen[str]", name: str) -> float:
    """Return how many milliseconds a worker takes for an epoch."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(f"{name}\n")
    worker.stdin.flush()
    return float(worker.stdout.readline())


def main() -> int:
    """Print what each pipeline takes on both sides; return 1 if one is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.work:
        work()
        return 0
    results = []
    workers = [start(mode) for mode in MODES]
    names, _ = (json.loads(worker.stdout.readline()) for worker in workers if worker.stdout)
    for name in names:
        for worker in workers:
            ask(worker, name)  # the first epoch only warms up
        pairs = [[ask(worker, name) for worker in workers] for _ in range(EPOCHS)]
        without, ours = (min(side) for side in zip(*pairs, strict=True))
        ratio = ours / without
        median = statistics.median(b / a for a, b in pairs)
        figures = {"without_ms": without, "with_ms": ours, "ratio": ratio, "median_ratio": median}
        over = min(ratio, median) > LIMIT
        results.append({"pipeline": name, "epochs": EPOCHS, "over": over, **figures})
        if not chosen.json:
            print(
                f"{name:20} without {without:8.1f} ms, with {ours:8.1f} ms: ratio {ratio:.3f} "
                f"(median {median:.3f}), limit {LIMIT}{' OVER' if over else ''}",
                flush=True,
            )
    for worker in workers:
        worker.communicate()
    if chosen.json:
        print(json.dumps(results, indent=1))
    return int(any(result["over"] for result in results))


if __name__ == "__main__":
    sys.exit(main())
