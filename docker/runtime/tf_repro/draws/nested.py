"""Datasets that are made in a graph: their shuffles and random numbers are others at each call.

A dataset's seed is a tensor. Within a function TensorFlow makes it a constant, so that each element
of an outer dataset, and each call of a tf.function, would shuffle in the same order. Here it is
drawn: by the key of what is around the dataset, or else anew whenever the graph runs.
"""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch
from tf_repro.draws import keys, seeds

# Begins the names of the ops that draw here.
_NAME = "tf_repro_seed"


def drawn_seed() -> Any:
    """Return an int64 [2] that is another at each call of the present graph."""
    tensorflow = sys.modules["tensorflow"]
    draw = keys.draw_here()
    if draw is not None:
        return draw.seed()
    largest = tensorflow.int64.max
    return tensorflow.random.uniform([2], 0, largest, tensorflow.int64, name=_NAME)


def on_data_random_seed(module: ModuleType) -> None:
    """Draw the seed of a dataset that has none and is made in a graph."""

    @patch.around(module, "get_seed")
    def get_seed(original: Callable[..., Any], seed: Any) -> Any:
        tensorflow = sys.modules["tensorflow"]
        graph = tensorflow.compat.v1.get_default_graph()
        if seed is not None or tensorflow.executing_eagerly() or seeds.is_own(graph):
            return original(seed)
        drawn = drawn_seed()
        return drawn[0], drawn[1]


def on_traverse(module: ModuleType) -> None:
    """Let TF 1's one-shot iterators copy the ops that draw here, as they copy datasets.

    They are made of a function that holds all that the dataset needs, and refuse ops with a state.
    """

    @patch.around(module, "obtain_capture_by_value_ops")
    def obtain_capture_by_value_ops(original: Callable[..., Any], dataset: Any) -> Any:
        ours = module._traverse(dataset, lambda op: op.name.rpartition("/")[2].startswith(_NAME))
        return [*original(dataset), *ours]
