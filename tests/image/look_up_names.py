"""Runs in an image: looks up every private name that the runtime touches in this release.

Prints a line for each that was seen here before and is gone.
"""

import fnmatch
import functools
import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tf_repro import private_names


def held_by(optimizer: Any, name: str) -> bool:
    optimizer.build([tf.Variable(1.0)])
    return hasattr(optimizer, name)


def on_keras_variable(name: str) -> bool:
    layer = tf.keras.layers.Dense(1)
    layer.build((None, 1))
    return hasattr(layer.kernel, name)


def of_handler(name: str) -> bool:
    release = os.environ["RELEASE"]
    keras = "keras" if release == "2.12" else "keras.src"
    adapter = importlib.import_module(f"{keras}.engine.data_adapter")
    handler = adapter.DataHandler(tf.zeros([2, 1]))
    return hasattr(handler, name)


def of_losses(name: str) -> bool:
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return hasattr(model.compiled_loss, name)


def of_epoch_iterator(name: str) -> bool:
    module = importlib.import_module("keras.src.trainers.epoch_iterator")
    return hasattr(module.EpochIterator(tf.zeros([2, 1]), batch_size=1), name)


def on_two_replicas(name: str, make: Callable[[tf.distribute.Strategy], Any]) -> bool:
    return hasattr(make(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])), name)


def of_replicas(strategy: tf.distribute.Strategy) -> Any:
    with strategy.scope():
        return tf.Variable(
            0.0,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.SUM,
        )


# Kind of dataset -> what makes one of a dataset.
DATASETS: dict[str, Callable[[tf.data.Dataset], tf.data.Dataset]] = {
    "DatasetV2": lambda numbers: numbers,
    "_BatchDataset": lambda numbers: numbers.batch(1),
    "_MapDataset": lambda numbers: numbers.map(lambda x: x),
    "_ParallelBatchDataset": lambda numbers: numbers.batch(1, num_parallel_calls=1),
    "_PrefetchDataset": lambda numbers: numbers.prefetch(1),
    "_ZipDataset": lambda numbers: tf.data.Dataset.zip((numbers, numbers)),
}


def of_dataset(kind: str, name: str) -> bool:
    return hasattr(DATASETS[kind](tf.data.Dataset.range(2)), name)


# What objects have once they are made, and no module tells.
OF_OBJECTS: dict[str, Callable[[str], bool]] = {
    "Function": lambda name: hasattr(tf.function(lambda: 1), name),
    "EagerTensor": lambda name: hasattr(tf.constant(1), name),
    "DType": lambda name: hasattr(tf.float32, name),
    "BaseOptimizer": lambda name: held_by(tf.keras.optimizers.SGD(), name),
    "DatasetV1Adapter": lambda name: hasattr(
        tf.compat.v1.data.Dataset.range(1).map(lambda x: x), name
    ),
    "SeedGenerator": lambda name: hasattr(tf.keras.random.SeedGenerator(), name),
    "Variable": on_keras_variable,
    "DataHandler": of_handler,
    "LossesContainer": of_losses,
    "EpochIterator": of_epoch_iterator,
    "DistributedDataset": lambda name: on_two_replicas(
        name,
        lambda strategy: strategy.experimental_distribute_dataset(
            tf.data.Dataset.range(4).batch(2)
        ),
    ),
    "DistributedDatasetsFromFunction": lambda name: on_two_replicas(
        name,
        lambda strategy: strategy.distribute_datasets_from_function(
            lambda _: tf.data.Dataset.range(4).batch(1)
        ),
    ),
    "SyncOnReadVariable": lambda name: on_two_replicas(name, of_replicas),
    "Layer": lambda name: hasattr(tf.keras.layers.Dense(1), name),
    "Trainer": lambda name: hasattr(tf.keras.Sequential(), name),
    "_ResourceSummaryWriter": lambda name: hasattr(tf.summary.create_file_writer("logs"), name),
    "Context": lambda name: hasattr(
        importlib.import_module("tensorflow.python.eager.context").context(), name
    ),
    **{kind: functools.partial(of_dataset, kind) for kind in DATASETS},
}


def is_there(row: private_names.Private) -> bool:
    """Tell whether there is such a name, or one that its pattern means."""
    holder, _, last = row.name.rpartition(".")
    if holder in OF_OBJECTS and last.startswith("_") and not last.startswith("__"):
        return OF_OBJECTS[holder](last)
    try:
        found: Any = importlib.import_module(row.module)
        for part in filter(None, holder.split(".")):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return False
    return bool(fnmatch.filter(dir(found), last))


def main() -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    release, python = os.environ["RELEASE"], f"Python 3.{sys.version_info.minor}"
    for row in private_names.NAMES:
        if (release in row.seen.split() or row.seen == python) and not is_there(row):
            sys.stdout.write(f"gone: {row.module} {row.name}\n")


main()
