"""`tf-repro verify --interrupt`: is a training that was killed the one that was never stopped?

One run goes through. Each of the others is killed after a step that follows from the seed, and
started again in the same folder, in a fresh process.
"""

import argparse
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tf_repro import streams
from tf_repro.verify import verdict
from tf_repro.verify.comparing.steps import Stage
from tf_repro.verify.reading import interrupted, records
from tf_repro.verify.reading.records import Run
from tf_repro.verify.running.progress import Progress
from tf_repro.verify.running.run import CannotRunError, last_words, record
from tf_repro.verify.verdict import Judged, Verdict

FEWEST_STEPS = 2  # of a run that can be killed amid them
# What a difference right after the resumption tells: the first stage that differs.
NOT_RESTORED = {
    Stage.BEFORE: "the weights",
    Stage.BATCH: "the place in a pipeline, or what it draws from",
    Stage.LOSS: "what the step draws from",
    Stage.GRADIENTS: "what the step draws from",
    Stage.WEIGHTS: "the slots of the optimiser, or its learning rate",
    Stage.METRICS: "a metric",
}


def verify(folder: Path, chosen: argparse.Namespace) -> Verdict:
    """Run a program once to its end and `chosen.interrupt` times with an interruption; judge them.

    Raises:
        CannotRunError: it fails, trains nothing, or has no way to resume.
    """
    count = int(chosen.interrupt)
    folders = [folder / f"run-{number}" for number in range(1, count + 2)]
    progress = Progress(len(folders))

    def one(number: int, kill_at: "int | None" = None) -> None:
        ended = record(
            chosen.program,
            folders[number - 1],
            records=folder,
            artifacts=chosen.artifacts,
            kill_at=kill_at,
            on_progress=lambda words: progress.show(number, words),
        )
        progress.done(number, ended)

    one(1)
    unbroken = records.read(folders[0])
    if unbroken.ended.exit_status:
        raise CannotRunError(
            f"{' '.join(chosen.program)} exited with {unbroken.ended.exit_status}: "
            f"{last_words(folders[0])}"
        )
    kills = _kills(len(unbroken.steps), count)
    with ThreadPoolExecutor(chosen.jobs) as pool:
        list(pool.map(one, range(2, count + 2), kills))
    broken = [
        interrupted.read(path, unbroken, kill)
        for path, kill in zip(folders[1:], kills, strict=True)
    ]
    if not any(run.went_on for run in broken):
        steps = ", ".join(map(str, sorted(set(kills))))
        raise CannotRunError(
            f"{' '.join(chosen.program)} has no way to resume, or saves later: killed after step "
            f"{steps} and started again, it began with its first step"
        )
    judged = verdict.judge([unbroken, *broken], tolerance=chosen.tolerance, with_stdout=False)
    judged.notes += list(_notes(judged))
    return judged


def _kills(steps: int, count: int) -> "list[int]":
    """Return after which step each run is killed: never after the last one."""
    if steps < FEWEST_STEPS:
        raise CannotRunError(
            f"nothing to interrupt: {steps or 'no'} training step{'' if steps == 1 else 's'} seen, "
            f"and it takes {FEWEST_STEPS}"
        )
    return [1 + streams.seed_for("interrupt", number) % (steps - 1) for number in range(count)]


def _notes(judged: Verdict) -> "Sequence[str]":
    notes = []
    for number, each in enumerate(judged.judged, 2):
        run = judged.runs[number - 1]
        notes.append(
            f"run {number} was killed after step {run.killed}, and went on with step "
            f"{run.went_on + 1}{_missing(judged.runs[0], run, each)}"
        )
    return notes


def _missing(unbroken: Run, run: Run, judged: Judged) -> str:
    """Return what was not restored, by the first difference after the resumption."""
    first = judged.pair.first
    if first is None or first.stage not in NOT_RESTORED:
        return ""
    if run.went_on > run.killed:
        return (
            ", which it had not reached: it found what another run has saved (save below the "
            "working folder, of which each run has its own), or ended sooner"
        )
    if first.index >= 0 and first.index < run.went_on:
        return ", and was another run before"
    found = NOT_RESTORED[first.stage]
    if 0 <= first.index < min(len(run.steps), len(unbroken.steps)):
        one, other = unbroken.steps[first.index], run.steps[first.index]
        sources = {**one.random, **one.generators}
        theirs = {**other.random, **other.generators}
        differ = [name for name in sources if sources[name] != theirs.get(name)]
        if differ and first.stage is not Stage.BEFORE:
            found += f" (the state of {', '.join(differ)} differs)"
    return f"; not restored: {found}"
