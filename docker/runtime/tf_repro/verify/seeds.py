"""`tf-repro seeds`: a program under several seeds, as one seed is one sample.

Each seed follows from the base seed and its number, so that the n-th is the same in every call, and
two programs are compared seed by seed.
"""

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tf_repro import settings, streams
from tf_repro.verify.comparing import metrics, student
from tf_repro.verify.comparing.metrics import Metric
from tf_repro.verify.reading import records
from tf_repro.verify.reading.records import Run
from tf_repro.verify.reporting import seeds_page, table
from tf_repro.verify.reporting.seeds_page import Program
from tf_repro.verify.running import workspace
from tf_repro.verify.running.progress import Progress
from tf_repro.verify.running.run import RUN, CannotRunError, Ended, last_words, read_ended, record


@dataclass(frozen=True)
class Asked:
    """What is run under several seeds.

    Attributes:
        commands: one program, or two that are compared.
        count: how many seeds.
        jobs: how many runs at the same time.
        folder: of the records; runs that are there already are not run again.
    """

    commands: Sequence[Sequence[str]]
    count: int
    jobs: int
    folder: Path


def run(chosen: argparse.Namespace) -> int:
    """Run the programs, print what their metrics are, and return 0.

    Raises:
        CannotRunError: a program fails, measures nothing, or is another than the records hold.
    """
    if settings.current.mode == "off":
        raise CannotRunError("TF_REPRO=off: seeds reach nothing there; take another mode")
    commands = [chosen.program, *([chosen.against] if chosen.against else [])]
    if chosen.keep:
        return _in(Asked(commands, chosen.n, chosen.jobs, chosen.keep.resolve()), chosen)
    with tempfile.TemporaryDirectory(prefix=workspace.TEMPORARY) as folder:
        return _in(Asked(commands, chosen.n, chosen.jobs, Path(folder)), chosen)


def _in(asked: Asked, chosen: argparse.Namespace) -> int:
    found = [_measured(runs) for runs in _runs(asked)]
    between = list(metrics.differences(*found)) if len(found) > 1 else []
    lines = [line for number, one in enumerate(found) for line in _table(asked, number, one)]
    lines += [metrics.sentence(one) for one in between]
    print("\n".join(lines))  # noqa: T201  # the result
    programs = [Program(command, one) for command, one in zip(asked.commands, found, strict=True)]
    whole = {
        "seeds": [_seed(number) for number in range(1, asked.count + 1)],
        "programs": [
            {"command": list(one.command), "metrics": [each.as_json for each in one.metrics]}
            for one in programs
        ],
        "differences": [one.as_json for one in between],
    }
    if chosen.json:
        chosen.json.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    if chosen.html:
        page = seeds_page.render(programs, between)
        chosen.html.write_text(page, encoding="utf-8")
    return 0


def _seed(number: int) -> int:
    return streams.seed_for("seeds", number)


def _runs(asked: Asked) -> "list[list[Run]]":
    folders = [
        [asked.folder / f"{letter}-{number}" for number in range(1, asked.count + 1)]
        for letter in "ab"[: len(asked.commands)]
    ]
    todo = [
        (command, folder, number)
        for command, its in zip(asked.commands, folders, strict=True)
        for number, folder in enumerate(its, 1)
        if not _is_there(folder, command, number)
    ]
    progress = Progress(len(todo))

    def one(at: int) -> None:
        command, folder, number = todo[at]
        ended = record(
            command,
            folder,
            records=asked.folder,
            environ={**os.environ, "TF_REPRO_SEED": str(_seed(number))},
            on_progress=lambda words: progress.show(at + 1, words),
        )
        progress.done(at + 1, ended)
        _see_that_it_worked(ended, folder, number)

    with ThreadPoolExecutor(asked.jobs) as pool:
        list(pool.map(one, range(len(todo))))
    return [[records.read(folder) for folder in its] for its in folders]


def _is_there(folder: Path, command: Sequence[str], number: int) -> bool:
    """Return whether a run has been recorded; what a killed or failed one left is removed."""
    if not (folder / RUN).exists() or read_ended(folder).exit_status:
        shutil.rmtree(folder, ignore_errors=True)
        return False
    ended, seed = read_ended(folder), records.read(folder).header.get("seed")
    if ended.command != list(command) or seed not in (None, _seed(number)):
        raise CannotRunError(
            f"{folder}: it has run {' '.join(ended.command)} under seed {seed}; name a new folder"
        )
    return True


def _see_that_it_worked(ended: Ended, folder: Path, number: int) -> None:
    if ended.exit_status:
        raise CannotRunError(
            f"{' '.join(ended.command)} exited with {ended.exit_status} under seed "
            f"{_seed(number)}: {last_words(folder)}"
        )


def _measured(runs: Sequence[Run]) -> "list[Metric]":
    found = metrics.of(runs)
    if not found:
        command = " ".join(runs[0].ended.command)
        raise CannotRunError(f"{command}: no metric of an epoch and no loss was recorded")
    return found


def _table(asked: Asked, number: int, found: Sequence[Metric]) -> list[str]:
    rows = [("metric", "mean", "spread", f"{student.LEVEL:.0%} interval of the mean")]
    for one in found:
        mean = one.mean
        interval = f"{mean.low:.6g} to {mean.high:.6g}"
        rows.append((one.name, f"{mean.mean:.6g}", f"{mean.spread:.3g}", interval))
    name = f"{'AB'[number]}: " if len(asked.commands) > 1 else ""
    head = f"tf-repro: {name}{' '.join(asked.commands[number])}, {asked.count} seeds"
    lines = [head, *table.boxed(rows, table.width())]
    if not any(one.mean.spread for one in found):
        lines.append("every seed gives the same: the program gives its generators seeds of its own")
    return lines
