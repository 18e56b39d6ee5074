"""The format of records: what the recorder inside a program writes, and `verify` reads back."""

import json
from collections.abc import Iterator
from typing import Any

# The version of the format goes up when a reader of the old one would misread the new one.
VERSION = 2
# A digest has 64 bits: two tensors that differ share one by chance, once in 10^19 pairs.
BYTES = 8


class Kind:
    """What a line of a record tells; the key of that name is in each of them."""

    HEADER = "header"  # first of a process: the version, and where it runs
    OWN_SEED = "own seed"  # the script has seeded a library itself
    ENTROPY = "entropy"  # a line of the user's asked the system
    UNRECORDED = "unrecorded"  # what could not be seen, and why
    DEVICES = "devices"  # what the training runs on
    VARIABLES = "variables"  # what an optimiser updates, at its first step
    INITIAL = "initial"  # its weights before that step
    GRAPH = "graph"  # the random ops of a traced step or of tf.data
    STEP = "step"  # one update of the weights
    EPOCH = "epoch"  # the logs of one epoch of fit
    FAILED = "failed cell"  # of a notebook
    POINT = "point"  # what the user has named by tf_repro.record
    WEIGHTS = "weights"  # the final weights of a model, in a file
    END = "end"  # the program ended by itself


# The two files of a process' operations, beside its .jsonl: what each was, and values.
OPERATIONS, VALUES = ".ops", ".values"


def step_file(series: str, what: str) -> str:
    """Return the file, in a run's folder, that keeps the gradients or weights of one step."""
    return f"step-{series.replace(' ', '-')}-{what}.npz"


def weights_file(process: int, model: str) -> str:
    """Return the file, in a run's folder, that keeps the final weights of one model.

    >>> weights_file(7, "model 0")
    'weights-7-model-0.npz'
    """
    return f"weights-{process}-{model.replace(' ', '-')}.npz"


def rows(text: bytes) -> Iterator[dict[str, Any]]:
    r"""Yield the lines of a record, without those that were cut: of a run that was killed.

    >>> [row["kind"] for row in rows(b'{"kind": "step"}\n{"kind": "epo')]
    ['step']
    """
    for line in text.split(b"\n"):
        try:
            yield json.loads(line)
        except ValueError:
            continue
