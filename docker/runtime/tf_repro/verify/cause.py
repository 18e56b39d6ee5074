"""From the first difference to its cause, in plain words."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tf_repro.audit import notes
from tf_repro.verify.comparing.steps import Difference, Stage
from tf_repro.verify.kinds import CauseKind
from tf_repro.verify.reading.records import Run, Step
from tf_repro.verify.reading.rows import RandomOp
from tf_repro.verify.running import draws
from tf_repro.verify.running.draws import Draw
from tf_repro.verify.running.run import last_words

ENTROPY = 4  # lines that are named
STATES = 3  # generators that are named


@dataclass(frozen=True)
class Cause:
    """The class of cause, why we say so, and what else is known."""

    kind: CauseKind
    reason: str
    hints: tuple[str, ...] = ()


# Stage -> class and reason, where the stage alone tells them.
_BY_STAGE = {
    Stage.INITIAL: (CauseKind.STREAM, "the weights differ before the first step: initialisers"),
    Stage.WEIGHTS: (
        CauseKind.OPTIMISER,
        "the gradients are equal, and the weights after the update are not",
    ),
    Stage.COUNT: (CauseKind.OUTSIDE, "a different number of steps"),
    Stage.EXIT: (CauseKind.OUTSIDE, "one of the runs failed"),
}


def explain(one: Run, other: Run, first: Difference) -> Cause:
    """Return the class of cause of two runs' first difference."""
    kind, reason = _kind(one, other, first)
    return Cause(kind, reason, tuple(_hints(one, other, first)))


def _kind(one: Run, other: Run, first: Difference) -> tuple[CauseKind, str]:
    if first.stage in _BY_RUNS:
        return _BY_RUNS[first.stage](one, other, first)
    if first.stage == Stage.STDOUT and not one.steps and _is_audited(one, other):
        return _of_draws(one, other)
    failed = next((run for run in (one, other) if run.ended.exit_status), None)
    if failed and first.stage in {Stage.COUNT, Stage.EXIT}:
        return CauseKind.OUTSIDE, _of_failure(failed)
    equal = "every recorded step is equal" if one.steps else "no step was recorded to tell more"
    return _BY_STAGE.get(first.stage, (CauseKind.OUTSIDE, equal))


def _is_audited(*runs: Run) -> bool:
    return all((run.folder / draws.FILE).exists() for run in runs)


def _of_draws(one: Run, other: Run) -> tuple[CauseKind, str]:
    """Tell what a text that is not the same may come from, where no step says more."""
    none = "no training step was seen, and "
    taken = [draw for run in (one, other) for draw in draws.by_the_program(run.folder)]
    random = [draw for draw in taken if draw.outcome == notes.STAYS_RANDOM]
    if random:
        return CauseKind.STREAM, f"{none}what these lines draw stays random: {_places(random)}"
    for place, what, ours, theirs in draws.apart(one.folder, other.folder):
        words = f"{place} asks {what} {ours} times in one run and {theirs} times in the other"
        return CauseKind.STREAM, none + words
    unordered = [draw for draw in taken if draw.outcome == notes.UNORDERED]
    if unordered:
        words = "these lines take files in the order of the file system: sort them"
        return CauseKind.OUTSIDE, f"{none}{words}: {_places(unordered)}"
    return CauseKind.OUTSIDE, (
        f"{none}every line that draws is seeded, and asks equally often: see whether the time, an "
        "address in memory or the order of threads is printed"
    )


def _places(taken: Sequence[Draw]) -> str:
    return ", ".join(list(dict.fromkeys(f"{one.place} ({one.what})" for one in taken))[:ENTROPY])


def _of_failure(run: Run) -> str:
    after = f" after step {run.steps[-1].number}" if run.steps else ""
    status, words = run.ended.exit_status, last_words(run.folder)
    return f"one of the runs failed{after} with exit status {status}: {words}"


def _of_weights_before(one: Run, other: Run, _: Difference) -> tuple[CauseKind, str]:
    unseen = one.unrecorded or other.unrecorded
    return CauseKind.BETWEEN, (
        "the weights were equal when they were last recorded, and those that this step works with "
        "are not: something changes them in between, such as a callback"
        + (", or a step that was not recorded" if unseen else "")
    )


def _of_batch(one: Run, other: Run, first: Difference) -> tuple[CauseKind, str]:
    """Tell the order of examples from their content, over the whole epoch."""
    ours, theirs = (_epoch(run, first) for run in (one, other))
    if _multiset(ours) == _multiset(theirs):
        words = "the same examples came in another order"
    elif sorted(step.examples for step in ours) == sorted(step.examples for step in theirs):
        words = "the same batches came in another order"
    else:
        words = "the content of the examples differs (or which of them there are)"
    return CauseKind.DATA, words


def _epoch(run: Run, first: Difference) -> list[Step]:
    return [step for step in run.steps if step.series == first.series and step.epoch == first.epoch]


def _multiset(steps: Sequence[Step]) -> int:
    return sum(int(step.examples or "0", 16) for step in steps) % (1 << 64)


def _of_loss(one: Run, other: Run, first: Difference) -> tuple[CauseKind, str]:
    has_batch = bool(one.steps[first.index].batch)
    begins = "batch and weights are equal" if has_batch else "the weights are equal"
    unseeded = [
        op
        for run in (one, other)
        for op in run.random_ops
        if not op.seeded and not _is_in_pipeline(op)
    ]
    if unseeded:
        places = dict.fromkeys(f"{op.type} of {op.place or op.name}" for op in unseeded)
        return CauseKind.STREAM, f"{begins}, and these ops draw without a seed: {', '.join(places)}"
    if any(not _is_in_pipeline(ours) for ours, _ in _seeds_apart(one, other)):
        return CauseKind.STREAM, f"{begins}, and random ops of the model have other seeds"
    made = _first_apart(one, other, first.index + 1, "generators")
    if made:
        return CauseKind.STREAM, f"{begins}, and the state of {made} is not"
    if racing := races(one, other):
        return CauseKind.RACE, f"{begins}, and {racing}"
    if has_batch:
        return CauseKind.KERNEL, f"{begins}, and the loss is not: the forward pass"
    return CauseKind.KERNEL, (
        f"{begins} and the loss is not: a kernel, or the batch, which a loop written by hand "
        "does not tell us; `tf_repro.record('batch', x)` does"
    )


def _of_gradients(one: Run, other: Run, _: Difference) -> tuple[CauseKind, str]:
    begins = "batch, weights and loss are equal, and"
    # The loss is one rounded sum, which does not always show that its parts are others.
    if racing := races(one, other):
        return CauseKind.RACE, f"{begins} {racing}"
    return CauseKind.KERNEL, f"{begins} the gradients are not: the backward pass"


# Stage -> what finds class and reason, where it takes what the runs have recorded.
_BY_RUNS = {
    Stage.BEFORE: _of_weights_before,
    Stage.BATCH: _of_batch,
    Stage.LOSS: _of_loss,
    Stage.GRADIENTS: _of_gradients,
}


def races(*runs: Run) -> str:
    """Return which random ops race, in words; empty if none does."""
    noted = [op for run in runs for op in run.random_ops]
    racing = [op for op in noted if op.races and not _is_in_pipeline(op)]
    places = ", ".join(dict.fromkeys(f"{op.place or op.name} ({op.type})" for op in racing))
    return (
        f"these loops draw in several iterations at once, which race for the next number: {places}"
        if racing
        else ""
    )


def _is_in_pipeline(op: RandomOp) -> bool:
    return op.series.startswith("tf.data")


def _hints(one: Run, other: Run, first: Difference) -> "list[str]":
    hints = []
    if one.header.get("mode") == "off" or other.header.get("mode") == "off":
        hints.append("TF_REPRO=off: nothing is seeded in these runs")
    elif one.header.get("hashes", "fixed") != "fixed":
        hints.append(f"sets of str come out in another order in every run: {one.header['hashes']}")
    for a, b in zip(one.own_seeds, other.own_seeds, strict=False):
        if a != b and a.place == b.place:
            hints.append(
                f"{a.place} seeds {a.library} with {a.seed} in one run and {b.seed} in "
                "the other: a seed that depends on the time, or on chance"
            )
            break
    hints += _seeds_of_ops(one, other)
    if first.stage == Stage.STDOUT and not one.steps:
        hints += draws.lines(one.folder)
    elif one.entropy:
        lines = ", ".join(one.entropy[:ENTROPY])
        hints.append(f"{lines}: draws from os.urandom or what stands on it, which stays random")
    # The global generators are moved by threads as well, so that a difference in their state is
    # worth a word only where it can be the cause: of a batch, a loss or weights outside of a step.
    if first.stage in {Stage.BEFORE, Stage.BATCH, Stage.LOSS, Stage.INITIAL}:
        hints += _state_apart(_first_apart(one, other, len(one.steps), "random"))
    # The generators that are objects are a hint at these stages; at the loss they are the reason
    # itself, which `_of_loss` gives.
    if first.stage in {Stage.BATCH, Stage.GRADIENTS, Stage.WEIGHTS}:
        hints += _state_apart(_first_apart(one, other, first.index + 1, "generators"))
    for run in (one, other):
        step = next((each for each in run.steps if math.isnan(each.loss)), None)
        if step and any(not math.isnan(each.loss) for each in run.steps):
            hints.append(f"the loss of one run is NaN from step {step.number} on")
            break
    return hints + [
        f"{what}: {one.header.get(what)} and {other.header.get(what)}"
        for what in ("cpu", "gpus", "cpus", "devices", "threads")
        if one.header.get(what) != other.header.get(what)
    ]


def _seeds_of_ops(one: Run, other: Run) -> "list[str]":
    """Return the lines whose random ops have another seed in the other run."""
    found: dict[str, str] = {}
    for a, b in _seeds_apart(one, other):
        words = (
            f"{a.place}: {a.type} ({a.series}) has the seed {_numbers(a)} in one run and "
            f"{_numbers(b)} in the other: a seed that depends on the time, or on chance"
        )
        found.setdefault(a.place, words)
    return list(found.values())


def _seeds_apart(one: Run, other: Run) -> "list[tuple[RandomOp, RandomOp]]":
    """Return the random ops that are the same in both runs, and have other seeds."""
    return [
        (a, b)
        for a, b in zip(one.random_ops, other.random_ops, strict=False)
        if (a.series, a.name, a.place) == (b.series, b.name, b.place) and a.seeds != b.seeds
    ]


def _numbers(op: RandomOp) -> str:
    return " ".join(map(str, op.seeds))


def _state_apart(names: str) -> "list[str]":
    return [f"the state of {names} differs, too"] if names else []


def _first_apart(one: Run, other: Run, steps: int, what: str) -> str:
    """Return the random states that differ first, in words; `what` is a field of the steps."""
    for ours, theirs in zip(one.steps[:steps], other.steps[:steps], strict=False):
        a, b = getattr(ours, what), getattr(theirs, what)
        differing = [name for name, state in a.items() if b.get(name) != state]
        if differing:
            rest = f" and {len(differing) - STATES} more" if len(differing) > STATES else ""
            names = ", ".join(differing[:STATES])
            return f"{names}{rest} (from step {ours.number} on)"
    return ""
