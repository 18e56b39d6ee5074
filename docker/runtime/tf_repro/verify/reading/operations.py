"""The operations of one run of the extra pair, read back around one step."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tf_repro.recording.format import OPERATIONS, VALUES, rows

# Traced: ("t", operation, execution). Eager: ("e", step, place in the step).
Key = tuple[str, int, int]


@dataclass(frozen=True)
class Operation:
    """What an operation is.

    Attributes:
        number: in the order of tracing, which is that of the program.
        place: file and line of the user's own code.
        attributes: a digest of them, without the seeds.
        inputs: which outputs of which operations of its graph.
    """

    number: int
    type: str
    name: str
    place: str
    attributes: str
    seeds: str
    pipeline: bool
    graph: str
    inputs: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Execution:
    """What came out of an operation once; the order puts executions as the program has them."""

    operation: Operation
    step: int
    order: tuple[int, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    values: tuple[Any, ...]
    file: Path


@dataclass
class Trace:
    """The operations of one run near the step, and their executions by a key of both runs."""

    operations: dict[int, Operation] = field(default_factory=dict)
    executions: dict[Key, Execution] = field(default_factory=dict)


def read(folder: Path, step: int, around: int) -> Trace:
    """Read the operations of the steps around one, and those of tf.data's functions.

    A program's first process is the one that trains; operations of others are not compared.
    """
    trace = Trace()
    path = next(iter(sorted(folder.glob(f"*{OPERATIONS}"))), None)
    for row in rows(path.read_bytes()) if path else ():
        if "op" in row:
            trace.operations[row["op"]] = _operation(row)
            continue
        operation = trace.operations[row["e"] if "e" in row else row["t"]]
        if operation.pipeline or abs(row["s"] - step) <= around:
            assert path
            key, execution = _execution(row, operation, path.with_suffix(VALUES))
            trace.executions[key] = execution
    return trace


def _operation(row: dict[str, Any]) -> Operation:
    return Operation(
        number=row["op"],
        type=row["type"],
        name=row.get("name", ""),
        place=row["place"],
        attributes=row["attrs"],
        seeds=row["seeds"],
        pipeline=row.get("pipeline", False),
        graph=row.get("graph", ""),
        inputs=tuple((one, place) for one, place in row.get("inputs", ())),
    )


def _execution(row: dict[str, Any], operation: Operation, file: Path) -> tuple[Key, Execution]:
    key: Key
    order: tuple[int, ...]
    if "e" in row:
        key, order = ("e", row["s"], row["q"]), (row["b"], 0, row["s"], row["q"])
    elif operation.pipeline:
        # It runs ahead of the steps, in threads of its own: the n-th example counts.
        key, order = ("t", operation.number, row["k"]), (-1, row["k"], operation.number)
    else:
        key, order = ("t", operation.number, row["k"]), (row["b"], 1, row["s"], operation.number)
    return key, Execution(
        operation,
        row["s"],
        order,
        tuple(row.get("i", ())),
        tuple(row["o"]),
        tuple(row["v"]),
        file,
    )


def value(file: Path, kept: Any) -> Any:
    """Return an output that was kept, as an array; None where it was not, or NumPy has no name."""
    if kept is None:
        return None
    offset, name, shape = kept
    try:
        dtype = np.dtype(name)
    except TypeError:
        return None  # bfloat16 and its like, which NumPy alone does not know
    count = int(np.prod(shape, dtype=np.int64))
    return np.fromfile(file, dtype, count, offset=offset).reshape(shape)
