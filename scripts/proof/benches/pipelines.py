"""What drawing by key costs: pipelines that augment, with us and without, side by side.

Runs inside the container (`make bench-pipelines`). Two interpreters, one in mode deterministic and
one in mode off, run an epoch of each pipeline in turn, so that a busy machine slows both.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

from . import side_by_side
from .side_by_side import ask

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


def epoch_of(dataset: Iterable[object]) -> Callable[[], None]:
    """Return a function that runs an epoch of a pipeline."""

    def run() -> None:
        for _ in dataset:
            pass

    return run


def main() -> int:
    """Print what each pipeline takes on both sides; return 1 if one is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.work:
        side_by_side.serve({name: epoch_of(make()) for name, make in pipelines().items()})
        return 0
    results = []
    workers = [side_by_side.start("pipelines", {"TF_REPRO": mode}) for mode in MODES]
    names, _ = map(side_by_side.names, workers)
    for name in names:
        for worker in workers:
            ask(worker, name)  # the first epoch only warms up
        pairs = [(ask(workers[0], name), ask(workers[1], name)) for _ in range(EPOCHS)]
        figures = side_by_side.compared(pairs)
        over = side_by_side.is_over(figures, LIMIT)
        results.append({"pipeline": name, "epochs": EPOCHS, "over": over, **figures})
        if not chosen.json:
            print(
                f"{name:20} without {figures['without_ms']:8.1f} ms, with "
                f"{figures['with_ms']:8.1f} ms: ratio {figures['ratio']:.3f} (median "
                f"{figures['median_ratio']:.3f}), limit {LIMIT}{' OVER' if over else ''}",
                flush=True,
            )
    for worker in workers:
        worker.communicate()
    if chosen.json:
        print(json.dumps(results, indent=1))
    return int(any(result["over"] for result in results))


if __name__ == "__main__":
    sys.exit(main())
