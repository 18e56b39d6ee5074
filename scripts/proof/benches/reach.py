"""What each reach costs: steps of models, algebra and a pipeline, side by side.

Runs inside the container (`make bench-reach`). An interpreter for each reach, and one for each size
of the pools, do every task in turn, so that a busy machine slows all of them. The table has the
time of each, of that with TF_REPRO=off.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tf_repro.machine import cpu

from . import side_by_side
from .side_by_side import ask

ROUNDS = 12
# How often each is done to be timed: a tenth of a second or more.
TIMES = {
    "MLP": 20,
    "CNN": 6,
    "transformer": 3,
    "LSTM": 15,
    "ResNet-50": 1,
    "NumPy matmul": 4,
    "NumPy SVD": 4,
    "pipeline": 6,
}
# TF_REPRO_REACH=machine is for who wants full speed. Of the median over all rows: one of them may
# be several hundredths off by chance.
LIMIT = 1.02
OFF, MACHINE, ANYWHERE = "off", "machine", "anywhere"
POOLS = (2, 4, 16, 32)
WORKERS: dict[str, dict[str, str]] = {
    OFF: {"TF_REPRO": "off"},
    MACHINE: {"TF_REPRO_REACH": "machine"},
    ANYWHERE: {},
    **{
        f"{pool} threads": {"TF_NUM_INTRAOP_THREADS": str(pool), "OMP_NUM_THREADS": str(pool)}
        for pool in POOLS
    },
}


def models() -> "dict[str, tuple[Any, tuple[int, ...]]]":
    """Return each model, and the shape of a batch for it."""
    import tensorflow as tf

    layers = tf.keras.layers

    def transformer() -> Any:
        given = x = layers.Input((64, 64))
        for _ in range(4):
            y = layers.LayerNormalization()(x)
            x = layers.Add()([x, layers.MultiHeadAttention(4, 16)(y, y)])
            y = layers.Dense(256, "gelu")(layers.LayerNormalization()(x))
            x = layers.Add()([x, layers.Dense(64)(y)])
        return tf.keras.Model(given, layers.Dense(10)(layers.GlobalAveragePooling1D()(x)))

    dense = [layers.Dense(512, "relu"), layers.Dense(512, "relu"), layers.Dense(10)]
    convolutions = [
        layers.Conv2D(32, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.Conv2D(64, 3, 2, activation="relu"),
        layers.Flatten(),
        layers.Dense(10),
    ]
    resnet = tf.keras.applications.ResNet50(weights=None, classes=10, input_shape=(64, 64, 3))
    return {
        "MLP": (tf.keras.Sequential(dense), (128, 784)),
        "CNN": (tf.keras.Sequential(convolutions), (64, 32, 32, 3)),
        "transformer": (transformer(), (32, 64, 64)),
        "LSTM": (tf.keras.Sequential([layers.LSTM(64), layers.Dense(10)]), (64, 40, 32)),
        "ResNet-50": (resnet, (8, 64, 64, 3)),
    }


def step_of(model: Any, shape: "tuple[int, ...]") -> "Callable[[], object]":
    """Return a function that trains a model by one step."""
    import numpy as np
    import tensorflow as tf

    rng = np.random.default_rng(0)
    batch = tf.constant(rng.random(shape, np.float32))
    labels = tf.constant(rng.integers(0, 10, shape[0]))
    optimizer = tf.keras.optimizers.Adam()
    loss_of = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model(batch)

    @tf.function  # type: ignore[untyped-decorator]  # TensorFlow has no types here
    def step() -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(labels, model(batch, training=True))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    return lambda: step().numpy()


def others() -> "dict[str, Callable[[], object]]":
    """Return what is no step of a model."""
    import numpy as np
    import tensorflow as tf

    rng = np.random.default_rng(0)
    square = rng.random((1000, 1000))
    small = rng.random((250, 250))
    images = rng.random((64, 96, 96, 3), np.float32)
    pipeline = (
        tf.data.Dataset.from_tensor_slices(images)
        .map(lambda image: tf.image.resize(image, (64, 64)) * 2 - 1, tf.data.AUTOTUNE)
        .batch(16)
        .prefetch(tf.data.AUTOTUNE)
    )
    return {
        "NumPy matmul": lambda: square @ square,
        "NumPy SVD": lambda: np.linalg.svd(small),
        "pipeline": lambda: [None for _ in pipeline],
    }


def tasks() -> "dict[str, Callable[[], None]]":
    """Return what is timed, each as many times as TIMES says."""
    single = {name: step_of(*each) for name, each in models().items()} | others()

    def repeated(name: str) -> "Callable[[], None]":
        def run() -> None:
            for _ in range(TIMES[name]):
                single[name]()

        return run

    return {name: repeated(name) for name in TIMES}


def row(name: str, off: float, ratios: "Mapping[str, float]") -> str:
    """Return a line of the table: milliseconds for one in mode off, and how many times that."""
    return f"{name:13} {off:7.2f} ms" + "".join(f" {ratio:11.2f}" for ratio in ratios.values())


def _ratio(off: "Sequence[float]", ours: "Sequence[float]") -> float:
    """Return the lesser of two figures: of the least times, and the median ratio."""
    figures = side_by_side.compared(list(zip(off, ours, strict=True)))
    return min(figures["ratio"], figures["median_ratio"])


def main() -> int:
    """Print the table; return 1 if the reach "machine" is over its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    if parser.parse_args().work:
        side_by_side.serve(tasks())
        return 0
    workers = {name: side_by_side.start("reach", env) for name, env in WORKERS.items()}
    for worker in workers.values():
        side_by_side.names(worker)
    print(f"{cpu.model()}, {os.cpu_count()} CPUs, {time.strftime('%Y-%m-%d')}")
    print(f"{'':13} {OFF:>10}" + "".join(f" {name:>11}" for name in workers if name != OFF))
    of_machine = []
    for name, count in TIMES.items():
        for worker in workers.values():
            ask(worker, name)  # the first time traces
        rounds = [{w: ask(workers[w], name) for w in workers} for _ in range(ROUNDS)]
        times = {w: [one[w] for one in rounds] for w in workers}
        ratios = {w: _ratio(times[OFF], times[w]) for w in workers if w != OFF}
        of_machine.append(ratios[MACHINE])
        print(row(name, min(times[OFF]) / count, ratios), flush=True)
    for worker in workers.values():
        worker.communicate()
    median = statistics.median(of_machine)
    over = median > LIMIT
    print(f"{MACHINE}, median: {median:.2f}, limit {LIMIT}{' OVER' * over}")
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
