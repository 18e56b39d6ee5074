"""`make test-reach`: do other processors give the same bits, row by row?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scripts.build.build import Built
from scripts.engine import containers
from scripts.engine.engine import Engine
from scripts.errors import KitError
from scripts.proof import at_once
from scripts.proof.reach import compare, known, processors, qemu, report
from scripts.proof.reach.processors import Processor
from scripts.proof.reach.results import Part, Taken
from scripts.proof.reach.running import LIMITS, Runner
from scripts.ui import stage


@dataclass(frozen=True)
class Asked:
    """What is to be compared.

    Attributes:
        parts: of the battery; empty is all.
        models: the processors that are emulated; empty is all.
        sample: a look of minutes: one emulated processor, and of each part a sample.
        jobs: how many processes work at the same time.
        into: where the digests go, as JSON.
    """

    parts: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    sample: bool = False
    jobs: int = 1
    into: Path | None = None

    def __post_init__(self) -> None:
        """Refuse parts and processors that there are not."""
        _see_that_there_are("part", self.parts, tuple(LIMITS))
        _see_that_there_are("processor", self.models, processors.MODELS)

    @property
    def is_whole(self) -> bool:
        """Whether all rows are compared on all processors."""
        return not (self.sample or self.parts or self.models)


def _see_that_there_are(what: str, asked: Sequence[str], there: Sequence[str]) -> None:
    if unknown := [one for one in asked if one not in there]:
        raise KitError(f"no such {what}: {', '.join(unknown)}; there are {', '.join(there)}")


def reach(host: Engine, built: Built, tag: str, asked: Asked) -> int:
    """Compute the rows on all processors, and print which differ between which.

    Args:
        host: the engine.
        built: the image.
        tag: its name in the matrix.
        asked: what is to be compared.

    Returns:
        0 if what differs is what images/reach.toml lists; 1 if it is not; 3 if not all was run.

    Raises:
        KitError: there is no emulator, or a process does not begin.
    """
    listed = known.read(tag)
    containers.sweep(host.client)
    emulator = qemu.program()
    runner = Runner(host.client, built.name, emulator, sample=asked.sample)
    cpus = int(host.client.info()["NCPU"])
    chosen = tuple(processors.chosen(cpus, asked.models, sample=asked.sample))
    taken = take(runner, chosen, asked.parts, asked.jobs)
    verdict = compare.judged(taken, listed, whole=asked.is_whole)
    version = qemu.version(emulator)
    if asked.into:
        today = dt.datetime.now(dt.UTC).date()
        report.write(asked.into, taken, verdict, built, version, today)
    report.show(taken, verdict, listed, built, version)
    return verdict.exit_code


def take(
    runner: Runner, chosen: Sequence[Processor], parts: Sequence[str] = (), jobs: int = 1
) -> tuple[Taken, ...]:
    """Compute parts of the battery, by default all of them, on some processors.

    Args:
        runner: runs them.
        chosen: the processors.
        parts: of the battery.
        jobs: how many processes work at the same time.
    """
    work = [(processor, part) for processor in chosen for part in parts or LIMITS]
    with stage(f"{len(work)} processes") as notice, ThreadPoolExecutor(jobs) as pool:

        def one(processor: Processor, part: str) -> Part:
            return runner.part(processor, part, lambda line: notice(f"{processor.name}: {line}"))

        done = at_once.results([pool.submit(one, *which) for which in work])
    return tuple(
        Taken(
            processor,
            tuple(part for (of, _), part in zip(work, done, strict=True) if of is processor),
        )
        for processor in chosen
    )
