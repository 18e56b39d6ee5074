"""Print, of pipelines, whether what is begun behind some elements gives the others, unmade.

Each pipeline refuses to make its first elements: a function of a map raises for them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tf_repro.resume import skipping

SIZE, BEHIND, BATCH = 60, 12, 4
_table = tf.lookup.StaticHashTable(
    tf.lookup.KeyValueTensorInitializer(tf.range(SIZE), tf.range(SIZE) * 3), -1
)
_variable = tf.Variable(7)
Made = Callable[[Callable[..., Any]], tf.data.Dataset]


def numbers() -> tf.data.Dataset:
    return tf.data.Dataset.range(SIZE, output_type=tf.int32)


def shuffled() -> tf.data.Dataset:
    return numbers().shuffle(SIZE, seed=5)


def drawn(x: Any) -> Any:
    return x, tf.random.uniform([2])


def looped(x: Any) -> Any:
    return tf.while_loop(lambda n, _: n < 3, lambda n, y: (n + 1, y * 2), (0, x))[1]


# What each is called by -> the pipeline, given a function to map; and how many numbers make an
# element of it.
PURE: dict[str, tuple[Made, int]] = {
    "map": (lambda f: numbers().map(f), 1),
    "map after a shuffle": (lambda f: shuffled().map(f), 1),
    "parallel map and prefetch": (
        lambda f: shuffled().map(f, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE),
        1,
    ),
    "batch": (lambda f: shuffled().map(f).batch(BATCH), BATCH),
    "batch with a rest": (lambda f: numbers().map(f).batch(3), 3),
    "batch before": (lambda f: shuffled().batch(BATCH).map(f), BATCH),
    "parallel batch": (lambda f: numbers().map(f).batch(BATCH, True, 2), BATCH),
    "zip": (lambda f: tf.data.Dataset.zip((shuffled().map(f), numbers())), 1),
    "options": (
        lambda f: shuffled().map(f).with_options(tf.data.Options()).batch(BATCH),
        BATCH,
    ),
    "a map that draws": (lambda f: shuffled().map(drawn).map(lambda x, _: f(x)), 1),
    "a map that calls NumPy": (
        lambda f: shuffled().map(lambda x: f(tf.numpy_function(lambda y: -y, [x], tf.int32))),
        1,
    ),
    "a map that loops": (lambda f: shuffled().map(lambda x: f(looped(x))), 1),
    "a map that reads": (lambda f: numbers().map(lambda x: f(x) + _table[x] + _variable), 1),
    "several": (
        lambda f: shuffled().map(f).batch(2).map(looped).batch(2).prefetch(1),
        4,
    ),
}


def counted() -> tf.data.Dataset:
    count = tf.Variable(0)
    return numbers().map(lambda x: x + count.assign_add(1))


# What has to be made, as it may leave something behind or stops for it.
IMPURE: dict[str, Callable[[], tf.data.Dataset]] = {
    "a map that counts": counted,
    "a filter": lambda: numbers().filter(lambda x: x % 3 == 0),
    "a repeat": lambda: shuffled().repeat(3),
    "a cache": lambda: shuffled().map(looped).cache().map(looped),
    "interleaved": lambda: numbers().interleave(
        lambda x: tf.data.Dataset.from_tensors(x).repeat(3)
    ),
    "a scan": lambda: numbers().scan(0, lambda state, x: (state + x, state)),
}


def listed(dataset: tf.data.Dataset) -> list[Any]:
    return [tf.nest.map_structure(lambda x: x.numpy().tolist(), each) for each in dataset]


def recorded(made: Made, number: int) -> list[int]:
    """Return which numbers the function of a pipeline is given first."""
    seen: list[int] = []

    def record(x: Any) -> Any:
        seen.extend(np.ravel(x).tolist())
        return x

    list(made(lambda x: tf.ensure_shape(tf.numpy_function(record, [x], tf.int32), x.shape)))
    return seen[:number]


def row(made: Made, numbers_each: int) -> dict[str, bool]:
    """Return whether a pipeline gave the rest, and whether TensorFlow's way makes the others."""
    behind = BEHIND // numbers_each
    used = tf.constant(recorded(made, BEHIND))

    def refuses(x: Any) -> Any:
        are_new = tf.reshape(x, [-1, 1]) != used
        with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(are_new), [x])]):
            return tf.identity(x)

    rest = listed(made(lambda x: x))[behind:]
    return {
        "equal": listed(skipping.skipped(made(refuses), behind)) == rest,
        "made": fails(made(refuses).skip(behind)),
    }


def fails(dataset: tf.data.Dataset) -> bool:
    try:
        listed(dataset)
    except tf.errors.InvalidArgumentError:
        return True
    return False


def same(made: Callable[[], tf.data.Dataset]) -> bool:
    return listed(skipping.skipped(made(), BEHIND)) == listed(made())[BEHIND:]


rows = {
    "pure": {name: row(*case) for name, case in PURE.items()},
    "impure": {name: same(made) for name, made in IMPURE.items()},
}
print(json.dumps(rows, indent=1))
