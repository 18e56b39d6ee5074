"""What the pairs of draws of battery.py are made with, and their table."""

import os
from collections.abc import Callable

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np  # TensorFlow reads the variable as it is imported
import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
N = 400
PAIRS: dict[str, Callable[[], tuple[object, object]]] = {}


def pair(function: Callable[[], tuple[object, object]]) -> Callable[[], tuple[object, object]]:
    """Add a pair to the battery, by the name of the function that makes it."""
    PAIRS[function.__name__] = function
    return function


def uniform(*_: object) -> object:
    """Return a number."""
    return tf.random.uniform(())


def series(dataset: tf.data.Dataset) -> np.ndarray:
    """Return the elements of a dataset."""
    return np.array([np.ravel(element)[0] for element in dataset.as_numpy_iterator()])


def numbers(function: Callable[[], object], times: int = N) -> np.ndarray:
    """Return what a function gives when it is called over and over."""
    return np.array([np.ravel(function())[0] for _ in range(times)])


def both_epochs(dataset: tf.data.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return the elements of a dataset, and those of its next epoch."""
    return series(dataset), series(dataset)


def halves(dataset: tf.data.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return the first N elements of a dataset, and those after."""
    drawn = series(dataset)
    return drawn[:N], drawn[N:]
