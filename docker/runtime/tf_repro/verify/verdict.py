"""The verdict over several runs: each against the first."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tf_repro.verify import bisect
from tf_repro.verify.bisect import Found
from tf_repro.verify.cause import Cause, explain
from tf_repro.verify.comparing import files, steps, weights
from tf_repro.verify.comparing.files import Compared
from tf_repro.verify.comparing.steps import Difference, Pair, Stage
from tf_repro.verify.comparing.weights import Variable
from tf_repro.verify.kinds import CauseKind
from tf_repro.verify.reading.records import Run
from tf_repro.verify.running import draws
from tf_repro.verify.running.run import STDOUT as STDOUT_FILE
from tf_repro.verify.running.run import last_words

# What no operation of TensorFlow explains.
_NO_OPERATION = {Stage.EXIT, Stage.COUNT, Stage.FINAL, Stage.FILES, Stage.STDOUT}


@dataclass
class Judged:
    """One run against the first."""

    pair: Pair
    cause: "Cause | None"
    variables: list[Variable]
    files: list[Compared]


@dataclass
class Verdict:
    """All runs, compared.

    Attributes:
        identical: whether every run is equal to the first, or as close as was asked for.
        judged: each run but the first.
        notes: what the comparison could not see, a line each.
        bisected: the operation, where an extra pair of runs has looked for it; extra is what that
            pair, judged by itself, parts at.
    """

    runs: Sequence[Run]
    tolerance: float
    identical: bool = True
    judged: list[Judged] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    bisected: "Found | None" = None
    extra: "Difference | None" = None

    @property
    def bisect_at(self) -> "int | None":
        """The step that an extra pair of runs should look into; None if it is of no use."""
        worst = self.worst
        if worst is None or worst.pair.first is None or not any(run.steps for run in self.runs):
            return None
        if worst.pair.first.stage in _NO_OPERATION:
            return None
        if self.bisected is None:
            return bisect.ordinal(self.runs[0], worst.pair.first)
        if self.bisected.kind is not CauseKind.NOTHING:
            return None
        return self.bisected.step or bisect.ordinal(self.runs[0], worst.pair.first)

    @property
    def worst(self) -> "Judged | None":
        """The first run that is not equal."""
        return next((one for one in self.judged if one.pair.first), None)


def judge(recorded: Sequence[Run], *, tolerance: float, with_stdout: bool) -> Verdict:
    """Compare runs.

    Args:
        recorded: at least two.
        tolerance: largest difference that counts as equal, absolute or relative, of losses,
            metrics and final weights; 0 means to the bit.
        with_stdout: whether what they printed counts.
    """
    verdict = Verdict(recorded, tolerance)
    first = recorded[0]
    for number, other in enumerate(recorded[1:], 2):
        judged = _judge(first, other, (1, number), with_stdout=with_stdout)
        verdict.judged.append(judged)
        same = not judged.pair.sections
        if tolerance and not same:
            same = _within(judged, tolerance)
        verdict.identical &= same
    verdict.notes = list(dict.fromkeys(note for run in recorded for note in _notes(run)))
    return verdict


def add_pair(verdict: Verdict, one: Run, other: Run) -> None:
    """Add what an extra pair of runs, with every operation recorded, has found."""
    pair = steps.compare(one, other, (1, 2))
    verdict.bisected = bisect.find(one, other, pair)
    if pair.first:
        verdict.extra = bisect.measured(one, other, pair.first)
    worst = verdict.worst
    if worst and worst.cause:
        # The stage tells where it shows; the operation tells what it is.
        found = verdict.bisected.kind
        kind = found if found in {CauseKind.STREAM, CauseKind.RACE} else worst.cause.kind
        hints = (*worst.cause.hints, *draws.hints(one.folder, other.folder))
        worst.cause = replace(worst.cause, kind=kind, hints=hints)


def _judge(one: Run, other: Run, numbers: tuple[int, int], *, with_stdout: bool) -> Judged:
    pair = steps.compare(one, other, numbers)
    variables = weights.compare(one, other)
    compared = files.compare(one, other)
    rest: list[Difference] = []
    if variables:
        names = tuple(each.name for each in variables)
        rest.append(Difference(Stage.FINAL, tensors=names))
    rest += [
        Difference(Stage.FILES, detail=f"{each.name}: {'; '.join(each.differing[:3])}")
        for each in compared
        if each.differing
    ]
    if with_stdout and _stdout(one) != _stdout(other):
        rest.append(Difference(Stage.STDOUT, detail="not the same text"))
    for each in rest:
        pair.sections.setdefault(each.stage, []).append(steps.describe(each))
    pair.first = pair.first or (rest[0] if rest else None)
    cause = explain(one, other, pair.first) if pair.first else None
    return Judged(pair, cause, variables, compared)


def _stdout(run: Run) -> bytes:
    return (run.folder / STDOUT_FILE).read_bytes()


def _within(judged: Judged, tolerance: float) -> bool:
    """Tell whether numbers are close enough, and nothing else differs than numbers."""
    numeric = {Stage.INITIAL, *steps.STAGES, Stage.METRICS, Stage.POINTS, Stage.FINAL}
    if judged.pair.sections.keys() - numeric:
        return False
    largest = judged.pair.largest
    if largest and largest.elements and largest.ulps is None:
        return False  # a number here is none there
    close = [largest is None or min(largest.absolute, largest.relative) <= tolerance]
    close += [
        each.apart is not None and min(each.apart.absolute, each.apart.relative) <= tolerance
        for each in judged.variables
    ]
    return all(close)


def _notes(run: Run) -> "list[str]":
    notes = list(run.ended.notes)
    notes += [f"not recorded: {each.what} ({each.reason})" for each in run.unrecorded]
    if run.ended.exit_status:
        words = last_words(run.folder)
        notes.append(f"a run exited with {run.ended.exit_status}: {words}")
    if not run.steps and run.ended.exit_status == 0:
        notes.append("no training step was seen: only weights, files and exit status are compared")
    if run.steps and not run.whole:
        notes.append("a record ends before its program did: it was killed, or called os._exit")
    return notes
