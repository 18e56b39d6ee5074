"""Clusters: each worker of a run is compared with itself in the other runs, and with its peers.

Workers see different batches, so their losses differ, and rightly so; their weights are one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tf_repro.verify.comparing import steps, weights
from tf_repro.verify.comparing.steps import Difference, Stage
from tf_repro.verify.reading.records import Run
from tf_repro.verify.reporting import terminal
from tf_repro.verify.running.run import RUN, CannotRunError
from tf_repro.verify.verdict import Verdict

# A worker's folder in that of a run, with its index behind.
WORKER = "worker-"
# What all workers of a run must have in common, of what their records say.
IN_COMMON = ("image", "locks", "mode", "seed", "reach", "cluster", "hashes", "packages")
_ORDER = list(Stage)


def below(folders: Sequence[Path], names: Sequence[str]) -> dict[str, list[Path]]:
    """Return for each worker its folder in every run; empty where the runs are no clusters.

    Args:
        folders: of clusters, or of folders that hold them.
        names: what the folders of runs are called there, as patterns.

    Raises:
        CannotRunError: a run lacks a worker that another has.
    """
    runs = [run for folder in folders for run in _clusters(folder, names)]
    found: dict[str, list[Path]] = {}
    for run in runs:
        for worker in _workers(run):
            found.setdefault(worker.name, []).append(worker)
    for name, its in found.items():
        lacking = [run for run in runs if run / name not in its]
        if lacking:
            raise CannotRunError(
                f"{lacking[0]} has no {name}, which {its[0].parent} has: it was not recorded, or "
                "its worker was killed"
            )
    return dict(sorted(found.items(), key=lambda one: _index(one[0])))


def _clusters(folder: Path, names: Sequence[str]) -> list[Path]:
    if _workers(folder):
        return [folder]
    inner = [run for name in names for run in sorted(folder.glob(name))]
    return [run for run in inner if _workers(run)]


def _workers(run: Path) -> list[Path]:
    return [worker for worker in run.glob(f"{WORKER}*") if (worker / RUN).exists()]


def _index(name: str) -> tuple[int, str]:
    text = name.removeprefix(WORKER)
    return (int(text), "") if text.isdigit() else (-1, name)


@dataclass
class Judged:
    """All workers of all clusters, compared.

    Attributes:
        verdicts: worker -> the verdict over its runs.
        apart: where the workers of one run do not agree, a line each.
    """

    verdicts: Mapping[str, Verdict]
    apart: Sequence[str] = field(default_factory=list)

    @property
    def identical(self) -> bool:
        """Whether every worker is equal in all runs, and agrees with its peers."""
        return not self.apart and all(one.identical for one in self.verdicts.values())

    @property
    def first(self) -> str:
        """The worker that parts first, or else the first one."""
        found = {
            name: verdict.worst.pair.first
            for name, verdict in self.verdicts.items()
            if verdict.worst and verdict.worst.pair.first
        }
        return min(found, key=lambda name: _moment(found[name]), default=next(iter(self.verdicts)))


def _moment(difference: Difference) -> tuple[bool, int, int, int]:
    """Return what orders differences in time: those outside of the steps come last but for one."""
    later = difference.stage not in {Stage.INITIAL, *steps.STAGES}
    return later, difference.epoch, difference.step, _ORDER.index(difference.stage)


def judge(verdicts: Mapping[str, Verdict]) -> Judged:
    """Compare the workers of each run with each other.

    Args:
        verdicts: worker -> the verdict over its runs, which are the same runs for all.
    """
    runs = zip(*(verdict.runs for verdict in verdicts.values()), strict=True)
    apart = [
        f"cluster {number}: {line}"
        for number, workers in enumerate(runs, 1)
        for line in _apart(dict(zip(verdicts, workers, strict=True)))
    ]
    return Judged(verdicts, apart)


def _apart(workers: Mapping[str, Run]) -> Iterator[str]:
    (name, one), *others = workers.items()
    for other_name, other in others:
        for what in IN_COMMON:
            ours, theirs = one.header.get(what), other.header.get(what)
            if ours != theirs:
                yield f"{other_name} has another {what} than {name}: {theirs} and {ours}"
        where = _where_weights_part(one, other)
        if where:
            yield f"{other_name} holds other weights than {name}: {where}"


def _where_weights_part(one: Run, other: Run) -> str:
    """Return the first place where two workers of a run hold other weights; empty if none."""
    for series in one.initial.keys() & other.initial.keys():
        if one.initial[series] != other.initial[series]:
            return "initial weights"
    for ours, theirs in zip(one.steps, other.steps, strict=False):
        if ours.weights != theirs.weights:
            return steps.describe(
                Difference(Stage.WEIGHTS, ours.series, ours.epoch, ours.number)
            ).replace(f", {Stage.WEIGHTS}", "")
    return "final weights" if weights.digest(one) != weights.digest(other) else ""


def sentence(judged: Judged) -> str:
    """Return the verdict in one line."""
    first = judged.verdicts[judged.first]
    count, total = len(judged.verdicts), len(first.runs)
    if not first.identical:
        return f"{judged.first} of {count} workers parts first: {terminal.sentence(first)}"
    if judged.apart:
        return f"{total} clusters of {count} workers, which do NOT agree with each other"
    compared = sum(len(verdict.runs[0].steps) for verdict in judged.verdicts.values())
    return f"{total} of {total} clusters of {count} workers identical, {compared} steps compared"


def render(judged: Judged, *, colour: bool = False) -> str:
    """Return the whole report as text: that of the worker that parts first, and the others'."""
    lines = [f"tf-repro: {sentence(judged)}", ""]
    lines += [f"{name}: {terminal.sentence(one)}" for name, one in judged.verdicts.items()]
    lines += [*judged.apart, "", f"{judged.first}, run by run:"]
    return "\n".join(lines) + "\n" + terminal.render(judged.verdicts[judged.first], colour=colour)


def as_json(judged: Judged) -> dict[str, Any]:
    """Return the verdict as plain JSON."""
    return {
        "identical": judged.identical,
        "sentence": sentence(judged),
        "bisect_at": judged.verdicts[judged.first].bisect_at,
        "first": judged.first,
        "apart": list(judged.apart),
        "workers": {name: terminal.as_json(one) for name, one in judged.verdicts.items()},
    }
