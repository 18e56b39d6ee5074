"""The weights at the end of two runs, variable by variable."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tf_repro.recording import trained
from tf_repro.verify.comparing.ulps import Apart, apart
from tf_repro.verify.reading.records import Run


@dataclass(frozen=True)
class Variable:
    """One variable of one model in both runs; `apart` is None where only one of them has it."""

    model: str
    name: str
    shape: tuple[int, ...]
    apart: "Apart | None"


def compare(one: Run, other: Run) -> list[Variable]:
    """Return every variable that differs, the largest difference first."""
    ours, theirs = dict(_variables(one)), dict(_variables(other))
    found = []
    for key in ours.keys() | theirs.keys():
        a, b = ours.get(key), theirs.get(key)
        if a is None or b is None or a.shape != b.shape or a.dtype != b.dtype:
            present = a if a is not None else b
            found.append(Variable(*key, present.shape if present is not None else (), None))
            continue
        difference = apart(a, b)
        if difference.elements:
            found.append(Variable(*key, a.shape, difference))
    return sorted(found, key=_rank)


def digest(run: Run) -> str:
    """Return one SHA-256 over all final weights of a run, in their order; "" if it kept none."""
    return trained.digest((*key, value) for key, value in _variables(run))


def _variables(run: Run) -> "Iterator[tuple[tuple[str, str], np.ndarray]]":
    for kept in run.weights:
        with np.load(run.folder / kept.file, allow_pickle=False) as arrays:
            for number, name in enumerate(kept.names):
                yield (kept.model, f"{name}"), arrays[f"{number:04d}"]


def _rank(variable: Variable) -> tuple[float, str]:
    return -(variable.apart.absolute if variable.apart else float("inf")), variable.name
