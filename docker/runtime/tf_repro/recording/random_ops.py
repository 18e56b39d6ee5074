"""The random ops of a traced step, or of tf.data: their seeds, if any, and whose lines they are."""

import weakref
from typing import Any

from tf_repro import caller
from tf_repro.recording import races, writer
from tf_repro.recording.format import Kind

# TensorFlow's generators that keep their state in the kernel; a seed of (0, 0) asks the system.
# https://www.tensorflow.org/api_docs/python/tf/random/set_seed
_SEEDS = ("seed", "seed2")

_seen: "weakref.WeakSet[Any]" = weakref.WeakSet()


def note(graph: Any, series: str) -> None:
    """Write the random ops of a graph, once."""
    if graph in _seen:
        return
    _seen.add(graph)
    found = [row for op in graph.get_operations() if (row := _row(op))]
    found += [_racing_row(op, kind) for op, kind in races.in_graph(graph)]
    if found:
        writer.write(Kind.GRAPH, series=series, random_ops=found)


def _row(op: Any) -> "dict[str, Any] | None":
    attributes = op.node_def.attr
    if not all(name in attributes for name in _SEEDS):
        return None
    seeds = [attributes[name].i for name in _SEEDS]
    return {
        "type": op.type,
        "name": op.name,
        "seeded": any(seeds),
        "seeds": seeds,
        "place": place(op),
    }


def _racing_row(op: Any, kind: str) -> dict[str, Any]:
    """Return the row of a loop; its seeds are in its body, and are not looked up."""
    row = {"type": kind, "name": op.name, "seeded": True, "seeds": [], "place": place(op)}
    return {**row, "races": True}


def place(op: Any) -> str:
    """Return the file and line of the user's own code that made an op; empty if none did."""
    for frame in reversed(op.traceback or ()):
        if not caller.is_library(frame.filename):
            return caller.shown(frame.filename, frame.lineno)
    return ""
