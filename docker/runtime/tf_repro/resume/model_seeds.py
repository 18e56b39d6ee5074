"""Keras 3: the states of the seed generators that the layers of a model hold.

A model's files leave them out, and a model that is loaded from one has others than the script made.
"""

from collections.abc import Iterator
from typing import Any


def _generators(model: Any) -> Iterator[Any]:
    seen: set[int] = set()
    for layer in getattr(model, "_flatten_layers", list)():
        for generator in getattr(layer, "_seed_generators", ()):
            if id(generator) not in seen:
                seen.add(id(generator))
                yield generator


def save(model: Any) -> list[list[int]]:
    """Return the state of each, in the order of the layers."""
    import tensorflow as tf  # noqa: PLC0415  # Keras has it by now

    states = [tf.convert_to_tensor(one.state).numpy() for one in _generators(model)]
    return [[int(word) for word in state.ravel()] for state in states]


def restore(model: Any, states: list[list[int]]) -> None:
    """Put each into its state.

    Raises:
        ValueError: the model has other layers.
    """
    for generator, state in zip(_generators(model), states, strict=True):
        generator.state.assign(state)
