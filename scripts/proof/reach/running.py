"""One part of the battery on one processor: in a fresh container, and again after a crash."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.contents import golden
from scripts.engine import containers
from scripts.engine.containers import Finished
from scripts.errors import KitError
from scripts.places import REPO
from scripts.processes import last_words
from scripts.proof.reach.processors import Processor
from scripts.proof.reach.results import Part, Row, is_row, printed

if TYPE_CHECKING:
    from docker import DockerClient

BATTERY = REPO / "docker" / "battery"
# Parts of the battery, each a process of its own, and the seconds that it may take: several times
# what it took when it was emulated on one CPU of a Xeon. XLA hung there once.
LIMITS = dict(zip(golden.PARTS, (900, 3600, 1800, 1800), strict=True))
# It includes what an emulated process needs to begin: TensorFlow's import takes it ten seconds.
SAMPLE_LIMIT = 300
# Each row that ends its process costs a start; where nearly all do, it is not a matter of rows.
MOST_ENDS = 50
# How coreutils' timeout(1) ends: by itself, and where it had to kill.
TIMED_OUT = (124, 137)
# Of the image; an emulator is given the whole path.
PYTHON = "/opt/venv/bin/python"
Notice = Callable[[str], None]


@dataclass(frozen=True)
class Runner:
    """Runs parts in containers of one image.

    Attributes:
        client: the engine.
        image: the image's name.
        emulator: QEMU's program on this machine; none where nothing is emulated.
        sample: whether a part's sample is enough.
        owner: of the containers: see `containers.run`.
    """

    client: DockerClient
    image: str
    emulator: Path | None = None
    sample: bool = False
    owner: str | None = None

    def part(self, processor: Processor, part: str, notice: Notice = lambda _: None) -> Part:
        """Compute a part; a row that ends the process is taken down, and the others go on.

        Raises:
            KitError: the process does not even begin.
        """
        rows: list[Row] = []
        ended: int | None = None
        for _ in range(MOST_ENDS):
            counted = _counting(notice, len(rows))
            finished = self._run(processor, self._argv(processor, part, ended), counted)
            seen, more = printed(finished.stdout)
            if seen is None:
                raise KitError(
                    f"{part} as {processor.name} exited with {finished.exit_code}: "
                    f"{last_words(finished.stderr)}"
                )
            rows += more
            if finished.exit_code == 0 or len(rows) == seen.rows:
                return Part(seen, tuple(rows))
            if finished.exit_code in TIMED_OUT:
                return Part(seen, tuple(rows), _late(part, self._limit(part), rows, seen.rows))
            ended = len(rows)
        assert seen is not None
        problem = f"{part} ended {MOST_ENDS} times: {seen.rows - len(rows)} rows did not run"
        return Part(seen, tuple(rows), problem)

    def _limit(self, part: str) -> int:
        return SAMPLE_LIMIT if self.sample else LIMITS[part]

    def _argv(self, processor: Processor, part: str, ended: int | None) -> list[str]:
        emulated: list[str] = []
        for emulator in self._emulator(processor):
            emulated = [f"/work/{emulator.name}", "-cpu", processor.model]
        return [
            *("timeout", "--kill-after=10", str(self._limit(part))),
            *emulated,
            *(PYTHON, "-u", "-m", BATTERY.name, part),
            *(("--sample",) if self.sample else ()),
            *(() if ended is None else (f"--ended={ended}",)),
        ]

    def _emulator(self, processor: Processor) -> tuple[Path, ...]:
        """Return what a processor needs to be emulated; nothing where it is the machine's own."""
        if not processor.model:
            return ()
        assert self.emulator, f"there is nothing to emulate {processor.name} by"
        return (self.emulator,)

    def _run(self, processor: Processor, argv: Sequence[str], notice: Notice) -> Finished:
        return containers.run(
            self.client,
            self.image,
            argv,
            env=processor.env,
            inputs=[BATTERY, *self._emulator(processor)],
            on_line=notice,
            owner=self.owner,
            settings=processor.settings,
        )


def _counting(notice: Notice, before: int) -> Notice:
    """Return what takes a process's lines, and shows how many rows there are and the last one."""
    count = before

    def line(text: str) -> None:
        nonlocal count
        if is_row(text):
            count += 1
            notice(f"{count} rows, {Row.model_validate_json(text).name}")

    return line


def _late(part: str, limit: int, rows: Sequence[Row], count: int) -> str:
    after = f"after {rows[-1].name}" if rows else "at its first row"
    return f"{part} took longer than {limit} s: {count - len(rows)} rows did not run, {after}"
