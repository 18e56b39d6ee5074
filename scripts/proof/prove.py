"""`make prove`: the same unmodified training script, several times with us and several without."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from scripts.build.build import Built
from scripts.contents import golden
from scripts.engine import containers
from scripts.engine.containers import Finished
from scripts.engine.engine import Engine
from scripts.errors import KitError
from scripts.places import REPO
from scripts.processes import last_words
from scripts.proof.reach.processors import NATIVE
from scripts.proof.reach.reach import take
from scripts.proof.reach.running import Runner
from scripts.ui import say, stage

if TYPE_CHECKING:
    from docker import DockerClient

EXAMPLE = REPO / "examples/digits"
INPUTS = (EXAMPLE / "train.py", EXAMPLE / "digits.csv.gz")
WEIGHTS = "final.weights.h5"
METRICS = "metrics.json"
# Where nobody says how wide the output is, a SHA-256 fits on one line.
WIDTH = 120


@dataclass(frozen=True)
class Run:
    """What one training left behind; `weights` is the SHA-256 of the saved weights."""

    mode: str
    loss: float
    accuracy: float
    weights: str
    seconds: float


# Takes a mode, and what shows people how far it is.
Train = Callable[[str, Callable[[str], None]], Run]


@dataclass(frozen=True)
class Verdict:
    """Whether the proof holds, and the sentence that says so."""

    holds: bool
    sentence: str


def prove(host: Engine, built: Built, tag: str, *, runs: int) -> bool:
    """Train `runs` times in mode deterministic and `runs` times as the control, and print a table.

    Args:
        host: the engine.
        built: the image.
        tag: its name in the matrix.
        runs: how many of each kind, each in a fresh container.

    Returns:
        Whether the first kind is identical and the control is not. Whether these are the published
        bits is said, and decides nothing: another build may have others.

    Raises:
        KitError: the training itself fails.
    """
    done = both_kinds(
        host, runs, "training", lambda mode, notice: _train(host.client, built.name, mode, notice)
    )
    verdict = show(done, built)
    if verdict.holds:
        known = golden.read(golden.path(tag))
        say(f"{tag}: {golden.compared(known, done[0].weights)}")
        if known and known.rows:
            say(f"{tag}: {golden.rows_compared(known, _battery(host, built, tag))}")
    return verdict.holds


def both_kinds(host: Engine, runs: int, what: str, train: Train) -> list[Run]:
    """Train `runs` times in mode deterministic, and as often as the control.

    Args:
        host: the engine; what a killed run has left in it is removed first.
        runs: how many of each kind.
        what: what a run is called, for people.
        train: does it.
    """
    containers.sweep(host.client)
    done = []
    for mode in ("deterministic", "off"):
        for number in range(1, runs + 1):
            with stage(f"{what} {number} of {runs}, TF_REPRO={mode}") as notice:
                done.append(train(mode, notice))
    return done


def show(runs: Sequence[Run], built: Built) -> Verdict:
    """Print the runs as a table, and what they come to; return that."""
    verdict = judge(runs)
    out = Console()
    if not out.is_terminal:
        out.width = WIDTH
    out.print(_table(runs, built))
    out.print(verdict.sentence, style="bold green" if verdict.holds else "bold red")
    return verdict


def take_down(host: Engine, built: Built, tag: str) -> None:
    """Compute once, and write into the image's golden.json what came out, and on which processor.

    Raises:
        KitError: the computation itself fails, or the file cannot be read.
    """
    file = golden.path(tag)
    known = golden.read(file)
    with stage(f"a training in {tag}") as notice:
        run = _train(host.client, built.name, "deterministic", notice)
    told = containers.run(host.client, built.name, ["cat", "/proc/cpuinfo"])
    seen = golden.described(told.stdout, dt.datetime.now(dt.UTC).date())
    say(f"{tag}: {golden.compared(known, run.weights)}")
    outcomes = _battery(host, built, tag)
    say(f"{tag}: {golden.rows_compared(known, outcomes)}")
    more = golden.added(known, tag, run.weights, run.loss, seen)
    golden.write(file, golden.with_rows(more, outcomes, seen))
    say(f"{file.relative_to(REPO)} names {seen}")


def _battery(host: Engine, built: Built, tag: str) -> dict[str, str]:
    """Return what the rows of the battery's sample give."""
    (taken,) = take(Runner(host.client, built.name, sample=True), [NATIVE])
    if problems := [part.problem for part in taken.parts if part.problem]:
        raise KitError(f"{tag}: {problems[0]}")
    return {name: row.outcome for name, row in taken.rows.items()}


def _train(client: DockerClient, image: str, mode: str, notice: Callable[[str], None]) -> Run:
    result = containers.run(
        client,
        image,
        ["python", "train.py"],
        env=environment(mode),
        inputs=INPUTS,
        outputs=(WEIGHTS, METRICS),
        on_line=notice,
    )
    return run_of(mode, result, str(INPUTS[0]))


def environment(mode: str) -> dict[str, str]:
    """Return what is set for a mode: nothing for the default, as by a user who sets nothing."""
    return {} if mode == "deterministic" else {"TF_REPRO": mode}


def run_of(mode: str, result: Finished, what: str) -> Run:
    """Return what a training, of this name, left behind.

    Raises:
        KitError: it has failed.
    """
    if result.exit_code:
        raise KitError(f"{what} exited with {result.exit_code}: {last_words(result.stderr)}")
    metrics = json.loads(result.files[METRICS])
    return Run(
        mode=mode,
        loss=metrics["loss"],
        accuracy=metrics["accuracy"],
        weights=hashlib.sha256(result.files[WEIGHTS]).hexdigest(),
        seconds=result.seconds,
    )


def judge(runs: Sequence[Run]) -> Verdict:
    """Compare the runs: loss, accuracy and weights count, the time does not.

    Identical means equal in all three, to the bit; the control holds if no two runs of it are.
    """
    with_us = [(run.loss, run.accuracy, run.weights) for run in runs if run.mode != "off"]
    control = [(run.loss, run.accuracy, run.weights) for run in runs if run.mode == "off"]
    same = max(with_us.count(one) for one in with_us)
    different = len(set(control))
    holds = same == len(with_us) and different == len(control)
    sentence = (
        f"tf-repro: {same} of {len(with_us)} identical. "
        f"Control (TF_REPRO=off): {different} different of {len(control)}."
    )
    if same < len(with_us):
        sentence += " The image does NOT make this script reproducible."
    if different < len(control):
        sentence += " The control is NOT random, so this proves nothing."
    return Verdict(holds, sentence)


def _table(runs: Sequence[Run], built: Built) -> Table:
    table = Table(title=f"{built.name}  {built.config_digest}", title_justify="left")
    for heading in ("mode", "loss", "accuracy", "SHA-256 of the final weights", "time"):
        table.add_column(heading, overflow="fold", min_width=8 if heading == "mode" else None)
    for run in runs:
        row = (f"{run.loss:.9g}", f"{run.accuracy:.4f}", run.weights, f"{run.seconds:.1f} s")
        table.add_row(run.mode, *row, end_section=run is runs[len(runs) // 2 - 1])
    return table
