"""`tf-repro verify --interrupt`: is a training that was killed the one that was never stopped?

One run goes through. Each of the others is killed after a step that follows from the seed, and
started again in the same folder, in a fresh process. `tf-repro record --interrupt` does it by
halves, so that each can be in a machine or container of its own.
"""

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tf_repro import streams
from tf_repro.verify import verdict
from tf_repro.verify.comparing.steps import Stage
from tf_repro.verify.reading import interrupted, records
from tf_repro.verify.reading.records import Run
from tf_repro.verify.running import run as running
from tf_repro.verify.running.progress import Progress
from tf_repro.verify.running.run import CannotRunError, last_words
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
        ended = running.record(
            chosen.program,
            folders[number - 1],
            records=folder,
            artifacts=chosen.artifacts,
            kill_at=kill_at,
            resumes=True,
            on_progress=lambda words: progress.show(number, words),
        )
        progress.done(number, ended)

    one(1)
    unbroken = _unbroken(folders[0])
    kills = [_kill(len(unbroken.steps), number) for number in range(1, count + 1)]
    with ThreadPoolExecutor(chosen.jobs) as pool:
        list(pool.map(one, range(2, count + 2), kills))
    return judge(folders, chosen.tolerance)


def record_half(chosen: argparse.Namespace, on_progress: Callable[[str], None]) -> int:
    """Run a program until it is killed, or to its end if it was; return its exit status.

    Args:
        chosen: `interrupt` says which such run it is, `of` where the unbroken one is recorded.
        on_progress: called with how far it is.

    Raises:
        CannotRunError: the unbroken run has failed, or has too few steps.
    """
    if chosen.of is None:
        raise CannotRunError("--interrupt: name the record of a run that nobody stops, by --of")
    unbroken = _unbroken(chosen.of)
    kill_at = _kill(len(unbroken.steps), chosen.interrupt)
    into = chosen.keep.resolve()
    ended = running.record_half(chosen.program, into, kill_at=kill_at, on_progress=on_progress)
    return 0 if ended is None else ended.exit_status


def _unbroken(folder: Path) -> Run:
    """Return the run that nobody has stopped.

    Raises:
        CannotRunError: it has failed.
    """
    found = records.read(folder)
    if found.ended.exit_status:
        raise CannotRunError(
            f"{' '.join(found.ended.command)} exited with {found.ended.exit_status}: "
            f"{last_words(folder)}"
        )
    return found


def judge(folders: Sequence[Path], tolerance: float) -> Verdict:
    """Compare a run with others that were killed and started again.

    Raises:
        CannotRunError: it has failed, or none of them has resumed.
    """
    unbroken = _unbroken(folders[0])
    broken = [interrupted.read(folder, unbroken) for folder in folders[1:]]
    if not any(one.went_on for one in broken):
        steps = ", ".join(map(str, sorted({one.killed for one in broken})))
        raise CannotRunError(
            f"{' '.join(unbroken.ended.command)} has no way to resume, or saves later: killed "
            f"after step {steps} and started again, it began with its first step"
        )
    judged = verdict.judge([unbroken, *broken], tolerance=tolerance, with_stdout=False)
    judged.notes += list(_notes(judged))
    return judged


def _kill(steps: int, number: int) -> int:
    """Return after which step a run is killed, by its number from 1: never after the last one."""
    if steps < FEWEST_STEPS:
        raise CannotRunError(
            f"nothing to interrupt: {steps or 'no'} training step{'' if steps == 1 else 's'} seen, "
            f"and it takes {FEWEST_STEPS}"
        )
    return 1 + streams.seed_for("interrupt", number - 1) % (steps - 1)


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
