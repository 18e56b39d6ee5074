"""Loops of a traced step whose iterations run side by side and draw from one state: they race.

TensorFlow runs up to ten iterations of a loop at once, and orders no random ops among them. The
loops of modes other than off are given one at a time (tf_repro.draws.loops); those that are built
without TensorFlow's own functions, and all of mode off, are not.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tf_repro.draws import ops

_LOOP = "While"  # the stateless kind has no op with a state in it

Functions = Mapping[str, Sequence[Any]]


def in_graph(graph: Any) -> Iterator[tuple[Any, str]]:
    """Return each op of a graph that is, or calls, such a loop, and the kind of op that races."""
    calling = [op for op in graph.get_operations() if ops.calls(op.type)]
    if not calling:
        return
    library = graph.as_graph_def().library.function
    functions = {function.signature.name: function.node_def for function in library}
    for op in calling:
        kind = _race(op.node_def, functions, frozenset())
        if kind:
            yield op, kind


def _race(node: Any, functions: Functions, above: frozenset[str]) -> str:
    """Return the kind of op that races in a node, or in what it calls; empty if none does."""
    if node.op == _LOOP and node.attr["parallel_iterations"].i != 1:
        kind = _draws(node.attr["body"].func.name, functions, above)
        if kind:
            return kind
    for name in _called(node):
        if name not in above:
            for inner in functions.get(name, ()):
                kind = _race(inner, functions, above | {name})
                if kind:
                    return kind
    return ""


def _draws(name: str, functions: Functions, above: frozenset[str]) -> str:
    """Return the first kind of op that draws in a function, or in those that it calls."""
    for node in functions.get(name, ()):
        if ops.draws(node.op):
            return str(node.op)
        for inner in _called(node):
            if inner not in above:
                kind = _draws(inner, functions, above | {inner})
                if kind:
                    return kind
    return ""


def _called(node: Any) -> list[str]:
    found = []
    for value in node.attr.values():
        found += [value.func.name] if value.HasField("func") else []
        found += [function.name for function in value.list.func]
    return found
