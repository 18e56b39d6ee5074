"""Which of TensorFlow's ops draw from a state of their own, by what they say of themselves."""

import functools
import sys
import weakref
from collections.abc import Callable, Iterable
from typing import Any

# What names a kernel's own generator; ops with a key of their own have none of these.
_SEEDS = ("seed", "seed2", "random_seed")

_known: "weakref.WeakKeyDictionary[Any, bool]" = weakref.WeakKeyDictionary()


@functools.cache
def draws(kind: str) -> bool:
    """Return whether ops of a kind draw from a state, as "RandomUniform" does."""
    definition = sys.modules["tensorflow.python.framework.op_def_registry"].get(kind)
    return (
        definition is not None
        and definition.is_stateful
        and any(attr.name in _SEEDS for attr in definition.attr)
    )


@functools.cache
def calls(kind: str) -> bool:
    """Return whether ops of a kind call functions, as "If" does."""
    definition = sys.modules["tensorflow.python.framework.op_def_registry"].get(kind)
    return definition is not None and any(
        attr.type in {"func", "list(func)"} for attr in definition.attr
    )


def any_within(operations: Iterable[Any], is_meant: Callable[[str], bool]) -> bool:
    """Return whether there is an op of a kind among `operations`, or in functions that they call.

    Args:
        operations: of a graph.
        is_meant: takes the name of a kind.
    """
    calling: dict[int, Any] = {}
    for op in operations:
        if is_meant(op.type):
            return True
        if calls(op.type):
            calling[id(op.graph)] = op.graph
    return any(
        is_meant(node.op)
        for graph in calling.values()
        for function in graph.as_graph_def().library.function
        for node in function.node_def
    )


def graph_draws(graph: Any) -> bool:
    """Return whether anything in the graph of a traced function draws from a state."""
    known = _known.get(graph)
    if known is None:
        known = _known[graph] = any_within(graph.get_operations(), draws)
    return known
