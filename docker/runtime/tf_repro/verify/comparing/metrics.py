"""The metrics of a program under several seeds, and of two programs, seed by seed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

from tf_repro.verify.comparing import student
from tf_repro.verify.comparing.student import Mean
from tf_repro.verify.reading.records import Run

LOSS = "loss"
SIGNIFICANT = 1 - student.LEVEL


@dataclass(frozen=True)
class Metric:
    """A metric of a program, or the difference of two programs in it, by seed."""

    name: str
    values: Sequence[float]

    @cached_property
    def mean(self) -> Mean:
        """Its mean over the seeds."""
        return student.mean_of(self.values)

    @property
    def as_json(self) -> "dict[str, object]":
        """Its values, and what they tell, for programs."""
        return {"name": self.name, "values": list(self.values), **asdict(self.mean)}


def of(runs: Sequence[Run]) -> "list[Metric]":
    """Return the metrics that every run of one program has measured; none if there are none."""
    measured = [_last(run) for run in runs]
    names = [name for name in measured[0] if all(name in each for each in measured)]
    return [Metric(name, [each[name] for each in measured]) for name in names]


def _last(run: Run) -> Mapping[str, float]:
    """Return the metrics of the last epoch of `fit`, or the last loss of a loop by hand."""
    if run.epochs:
        logs = run.epochs[-1]["logs"]
        return {name: float(one) for name, one in logs.items() if isinstance(one, int | float)}
    return {LOSS: run.steps[-1].loss} if run.steps else {}


def differences(one: Sequence[Metric], other: Sequence[Metric]) -> Iterator[Metric]:
    """Yield B - A of each metric that both have, seed by seed."""
    theirs = {metric.name: metric.values for metric in other}
    for metric in one:
        if metric.name in theirs:
            pairs = zip(metric.values, theirs[metric.name], strict=True)
            yield Metric(metric.name, [b - a for a, b in pairs])


def sentence(difference: Metric) -> str:
    """Say whether two programs differ in a metric by more than their seeds."""
    mean = difference.mean
    where = "beyond" if mean.p < SIGNIFICANT else "within"
    interval = f"{student.LEVEL:.0%} interval {mean.low:.3g} to {mean.high:.3g}"
    return (
        f"{difference.name}: B - A is {mean.mean:.3g}, {interval}, {where} the seeds' spread "
        f"(t-test paired by seed, p = {mean.p:.2g})"
    )
