"""Runs of a user's script that are recorded, each in a fresh container or cluster of its own."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from scripts.build.build import Built
from scripts.engine import cluster, containers, elsewhere
from scripts.engine.containers import Finished
from scripts.engine.elsewhere import Place
from scripts.errors import KitError
from scripts.processes import last_words
from scripts.proof import agreed, at_once, by_engine
from scripts.ui import stage

# The script's folder is copied into each container, as the engine may be on another machine.
FOLDER_BYTES = 1 << 30
# What a user may have set for the run; everything else is the image's.
HANDED_ON = (*agreed.SETTINGS, "TF_CPP_MIN_LOG_LEVEL")
# Where a run is recorded: not below the script's folder, which it would be compared with.
RECORD = "/tf-repro-run"


@dataclass(frozen=True)
class Recording:
    """Records runs of one command, each in a container or a cluster of its own."""

    places: Sequence[Place]
    built: Built
    command: Sequence[str]
    inputs: Sequence[Path]
    jobs: int
    workers: int = 1

    def run(self, folders: Sequence[Path], words: str, bisect_at: int | None = None) -> None:
        """Record as many runs as there are folders to be made.

        Raises:
            KitError: the command could not be started.
        """
        ends: list[float] = []
        total, started = len(folders), time.monotonic()
        with stage(f"{total} runs {words}") as notice, ExitStack() as stack:
            # As many at the same time on each engine as on one.
            pools = [stack.enter_context(ThreadPoolExecutor(self.jobs)) for _ in self.places]

            def one(number: int) -> None:
                def show(line: str) -> None:
                    left = time_left(ends, total, time.monotonic() - started)
                    notice(f"run {number} of {total}: {line.removeprefix(agreed.PROGRESS)}{left}")

                place = self.places[by_engine.turn(number, len(self.places))]
                with elsewhere.asking(place.name):
                    self._one(place, folders[number - 1], show, bisect_at)
                ends.append(time.monotonic() - started)

            runs = [
                pools[by_engine.turn(number, len(pools))].submit(one, number)
                for number in range(1, total + 1)
            ]
            at_once.results(runs)

    def _one(
        self, place: Place, into: Path, on_line: Callable[[str], None], bisect_at: int | None
    ) -> None:
        words = [] if bisect_at is None else ["--bisect", str(bisect_at)]
        argv = ["tf-repro", "record", "--progress", *words, "--keep", RECORD, "--", *self.command]
        env = settings(os.environ, self.built)
        if self.workers > 1:
            folders = [into / cluster.name(index) for index in range(self.workers)]
            into.mkdir()
            ended = cluster.run(
                place.client,
                place.image,
                argv,
                self.workers,
                env=env,
                inputs=self.inputs,
                on_line=on_line,
                folders=[{RECORD: folder} for folder in folders],
            )
        else:
            folders = [into]
            alone = containers.run(
                place.client,
                place.image,
                argv,
                env=env,
                inputs=self.inputs,
                on_line=on_line,
                folders={RECORD: into},
                owner=place.owner,
            )
            ended = [alone]
        self._see_that_all_are_recorded(folders, ended)

    def _see_that_all_are_recorded(
        self, folders: Sequence[Path], ended: Sequence[Finished]
    ) -> None:
        left = [folder for folder in folders if not (folder / agreed.RUN).exists()]
        if not left:
            return
        command, said = " ".join(self.command), last_words(ended[folders.index(left[0])].stderr)
        for folder in folders:
            # Who has failed by himself says why; his peers wait for him until they are killed.
            if folder not in left and _exit_status(folder):
                raise KitError(f"{command}: {folder.name}: {last_words(_stderr(folder))}")
        raise KitError(f"{command}: {said}")


def _exit_status(folder: Path) -> int:
    return int(json.loads((folder / agreed.RUN).read_text())["exit_status"])


def _stderr(folder: Path) -> str:
    return (folder / agreed.STDERR).read_text(errors="replace")


def settings(environ: Mapping[str, str], built: Built) -> dict[str, str]:
    """Return the environment of a run: what the user set for it, and which image it is in."""
    chosen = {name: environ[name] for name in HANDED_ON if name in environ}
    return {**chosen, agreed.IMAGE: built.config_digest}


def time_left(ends: Sequence[float], total: int, passed: float) -> str:
    """Return the time that is left, in words; nothing before the first run has ended.

    Args:
        ends: when runs have ended, in seconds from the start.
        total: how many runs there are.
        passed: seconds from the start.
    """
    return f", about {max(ends[-1] / len(ends) * total - passed, 0):.0f} s left" if ends else ""


def folder_of(script: Path) -> list[Path]:
    """Return what is in a script's folder, to be copied into a container.

    Raises:
        KitError: the script is not there, or its folder is too large.
    """
    if not script.is_file():
        raise KitError(f"SCRIPT={script}: no such file; name a training script on this machine")
    folder = script.resolve().parent
    inputs = [path for path in sorted(folder.iterdir()) if path.name not in agreed.LEFT_OUT]
    files = (file for path in inputs for file in [path, *path.rglob("*")] if file.is_file())
    total = sum(file.stat().st_size for file in files)
    if total > FOLDER_BYTES:
        raise KitError(
            f"{folder}: {total / 1e9:.1f} GB, and the script's folder is copied into each "
            "container; mount the data and run `tf-repro verify` in the image instead (README.md)"
        )
    return inputs
