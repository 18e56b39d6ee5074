"""The record of a run that was killed and started again, as one run."""

import re
from dataclasses import replace
from pathlib import Path

from tf_repro.verify.reading import records
from tf_repro.verify.reading.records import Run, Step

# How records.read tells the steps of a later process from those of the first.
_PROCESS = re.compile(r" of process (\d+)$")


def read(folder: Path, unbroken: Run) -> Run:
    """Return the run: the steps before it was started again, and then those of the second process.

    Whoever is started again counts from 1. Its last step is the unbroken run's last one, which
    tells where it went on.

    Args:
        folder: of the run.
        unbroken: a run of the same program that nobody has stopped.
    """
    run = records.read(folder)
    first = [step for step in run.steps if not _process(step)]
    last = max((_process(step) for step in run.steps), default=0)
    again = [step for step in run.steps if last and _process(step) == last]
    run.killed, run.went_on = run.ended.killed, len(unbroken.steps) - len(again)
    run.went_on = max(run.went_on, 0)
    begun, rest = unbroken.steps[: run.went_on], unbroken.steps[run.went_on :]
    run.steps = first[: len(begun)]
    run.steps += [
        replace(step, series=_PROCESS.sub("", step.series), number=one.number, epoch=one.epoch)
        for step, one in zip(again, rest, strict=False)
    ]
    run.steps += again[len(rest) :]
    run.initial = {name: value for name, value in run.initial.items() if not _PROCESS.search(name)}
    # An epoch that was begun twice ended once; each is known by its number.
    run.epochs = list({each["epoch"]: each for each in run.epochs}.values())
    run.epochs.sort(key=lambda each: each["epoch"])
    # Points have no step: of those of both processes, the last ones are the unbroken run's.
    run.points = run.points[len(run.points) - len(unbroken.points) :] or run.points
    return run


def _process(step: Step) -> int:
    found = _PROCESS.search(step.series)
    return int(found[1]) if found else 0
