"""The first difference between two runs, in the order in which a training happens."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from tf_repro.verify.comparing import ulps
from tf_repro.verify.comparing.ulps import Apart
from tf_repro.verify.reading.records import Run, Step


class Stage(StrEnum):
    """What is compared, in the order in which a training happens."""

    INITIAL = "initial weights"
    # It comes before the others of a step, and is no difference by itself: a pipeline's threads
    # draw when they like.
    RANDOM = "random state"
    # A training step is a flow; the first stage that differs names the class of cause.
    BEFORE = "weights before the step"
    BATCH = "batch"
    LOSS = "loss"
    GRADIENTS = "gradients"
    WEIGHTS = "weights"
    # Besides the steps.
    COUNT = "number of steps"
    METRICS = "metrics of an epoch"
    POINTS = "points of the user"
    EXIT = "exit status"
    FINAL = "final weights"
    FILES = "files"
    STDOUT = "stdout"


STAGES = (Stage.BEFORE, Stage.BATCH, Stage.LOSS, Stage.GRADIENTS, Stage.WEIGHTS)
_TENSORS: dict[Stage, Callable[[Step], tuple[bytes, ...]]] = {
    Stage.BEFORE: lambda step: step.before,
    Stage.GRADIENTS: lambda step: step.gradients,
    Stage.WEIGHTS: lambda step: step.weights,
}

NAMED = 3  # tensors in a line


@dataclass(frozen=True)
class Difference:
    """The first thing that is not the same.

    Attributes:
        stage: where it shows.
        series: of which optimiser; "" outside of a step.
        epoch: from 1; 0 where there are no epochs.
        step: the optimiser's count of updates, from 1; 0 before the first.
        index: of the step in the record, by which both runs can be looked up.
        tensors: the names of those that differ.
        detail: both sides, for people.
        cell: n of the notebook's In[n] in which it is; 0 outside of one.
        apart: how far the (first) tensor is apart, where both values are known.
    """

    stage: Stage
    series: str = ""
    epoch: int = 0
    step: int = 0
    index: int = -1
    tensors: tuple[str, ...] = ()
    detail: str = ""
    apart: "Apart | None" = None
    cell: int = 0


@dataclass
class Pair:
    """Two runs, compared.

    Attributes:
        first: the first difference; None if there is none.
        stages: for each step, which stages are equal, in the order of STAGES.
        random: for each step, whether the random states after it are.
        sections: name of a section -> what differs in it, a line each; empty if nothing does.
        largest: how far losses and metrics are apart at most; None if there are none.
    """

    numbers: tuple[int, int]
    first: "Difference | None" = None
    stages: list[tuple[bool, ...]] = field(default_factory=list)
    random: list[bool] = field(default_factory=list)
    sections: dict[Stage, list[str]] = field(default_factory=dict)
    largest: "Apart | None" = None


def compare(one: Run, other: Run, numbers: tuple[int, int]) -> Pair:
    """Compare the records of two runs; weights and files are compared elsewhere."""
    pair = Pair(numbers)
    found: list[Difference] = []
    for series in one.initial.keys() & other.initial.keys():
        names = _differing(one, series, one.initial[series], other.initial[series])
        if names:
            cell = next((step.cell for step in one.steps if step.series == series), 0)
            found.append(Difference(Stage.INITIAL, series, tensors=names, cell=cell))
    # Whether the weights before a step were equal as the step before it has left them.
    left = {series: one.initial[series] == other.initial.get(series) for series in one.initial}
    last: dict[tuple[str, int], bool] = {}
    for index, (ours, theirs) in enumerate(zip(one.steps, other.steps, strict=False)):
        key = ours.series, ours.replica
        equal = _stages(ours, theirs, left_equal=last.get(key, left.get(ours.series, True)))
        last[key] = equal[-1]
        pair.stages.append(equal)
        pair.random.append((ours.random, ours.generators) == (theirs.random, theirs.generators))
        if not all(equal):
            found.append(_in_step(one, ours, theirs, index, equal))
    if len(one.steps) != len(other.steps):
        detail = f"{len(one.steps)} and {len(other.steps)}"
        found.append(Difference(Stage.COUNT, detail=detail))
    found += _epochs(one, other)
    found += _points(one, other)
    if one.ended.exit_status != other.ended.exit_status:
        detail = f"{one.ended.exit_status} and {other.ended.exit_status}"
        found.append(Difference(Stage.EXIT, detail=detail))
    for each in found:
        pair.sections.setdefault(each.stage, []).append(describe(each))
    pair.first = found[0] if found else None
    pair.largest = _largest(one, other)
    return pair


def describe(difference: Difference) -> str:
    """Return where a difference is, in one line."""
    where = [f"cell In[{difference.cell}]"] if difference.cell else []
    if difference.epoch:
        where.append(f"epoch {difference.epoch}")
    if difference.step:
        where.append(f"step {difference.step}")
    where.append(difference.stage)
    said = difference.detail
    if difference.tensors:
        more = len(difference.tensors) - NAMED
        said = ", ".join(difference.tensors[:NAMED]) + (f" and {more} more" if more > 0 else "")
    if difference.apart:
        said += f" ({ulps.words(difference.apart)})"
    return ", ".join(where) + (f": {said}" if said else "")


def _stages(ours: Step, theirs: Step, *, left_equal: bool) -> tuple[bool, ...]:
    return (
        # A difference that is only carried on has its place in the step that made it.
        ours.before == theirs.before or not left_equal,
        (ours.batch, ours.examples) == (theirs.batch, theirs.examples),
        ours.loss_bits == theirs.loss_bits,
        ours.gradients == theirs.gradients,
        ours.weights == theirs.weights,
    )


def _in_step(run: Run, ours: Step, theirs: Step, index: int, equal: tuple[bool, ...]) -> Difference:
    stage = STAGES[equal.index(False)]
    names: tuple[str, ...] = ()
    detail = ""
    apart: Apart | None = None
    if stage == Stage.LOSS:
        detail = f"{ours.loss!r} and {theirs.loss!r}"
        apart = ulps.of_bits(ours.loss_bits, theirs.loss_bits, ours.loss_type)
    elif stage in _TENSORS:
        names = _differing(run, ours.series, _TENSORS[stage](ours), _TENSORS[stage](theirs))
    return Difference(
        stage, ours.series, ours.epoch, ours.number, index, names, detail, apart, ours.cell
    )


def _differing(
    run: Run, series: str, ours: tuple[bytes, ...], theirs: tuple[bytes, ...]
) -> tuple[str, ...]:
    names = run.names.get(series, [])
    named = [
        names[number] if number < len(names) else f"variable {number}"
        for number, (a, b) in enumerate(zip(ours, theirs, strict=False))
        if a != b
    ]
    return (*named, "their number") if len(ours) != len(theirs) else tuple(named)


def _epochs(one: Run, other: Run) -> list[Difference]:
    found = []
    for ours, theirs in zip(one.epochs, other.epochs, strict=False):
        differ = [
            name
            for name in dict.fromkeys([*ours["logs"], *theirs["logs"]])
            if not _same(ours["logs"].get(name), theirs["logs"].get(name))
        ]
        if differ:
            detail = "; ".join(
                f"{name} {ours['logs'].get(name)!r} and {theirs['logs'].get(name)!r}"
                for name in differ
            )
            found.append(Difference(Stage.METRICS, epoch=ours["epoch"], detail=detail))
    return found


def _points(one: Run, other: Run) -> list[Difference]:
    return [
        Difference(Stage.POINTS, detail=f"{ours.name}, call {ours.n}")
        for ours, theirs in zip(one.points, other.points, strict=False)
        if ours != theirs
    ] + (
        [Difference(Stage.POINTS, detail=f"{len(one.points)} and {len(other.points)} of them")]
        if len(one.points) != len(other.points)
        else []
    )


def _same(one: Any, other: Any) -> bool:
    """Equal to the bit; two NaNs are equal here."""
    return bool(one == other or (one != one and other != other))  # noqa: PLR0124  # NaN


def _largest(one: Run, other: Run) -> "Apart | None":
    pairs = [(a.loss, b.loss) for a, b in zip(one.steps, other.steps, strict=False)]
    for a, b in zip(one.epochs, other.epochs, strict=False):
        pairs += [
            (value, b["logs"][name]) for name, value in a["logs"].items() if name in b["logs"]
        ]
    if not pairs:
        return None
    ours, theirs = (np.array(side, np.float64) for side in zip(*pairs, strict=True))
    narrow = [side.astype(np.float32) for side in (ours, theirs)]
    # Python's floats are wide, whatever the model computed in: ULPs are those of what it was.
    if all(
        np.array_equal(a, b, equal_nan=True) for a, b in zip(narrow, (ours, theirs), strict=True)
    ):
        return ulps.apart(*narrow)
    return ulps.apart(ours, theirs)
