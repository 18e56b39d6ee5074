"""`make verify INTERRUPT=<number>`: is a training that is killed the one that was never stopped?

Each run that is killed is started again in a fresh container, which shares nothing with the first
but the working folder, as machines do that are taken away and share a disk.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.engine import containers, elsewhere
from scripts.errors import KitError
from scripts.places import scratch
from scripts.processes import last_words
from scripts.proof import agreed, at_once, recording, verify
from scripts.ui import stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from scripts.build.build import Built
    from scripts.engine.containers import Finished
    from scripts.engine.engine import Engine
    from scripts.proof.verify import Asked

SHARED = "/tf-repro-shared"


def interrupt(host: Engine, built: Built, asked: Asked) -> int:
    """Run a script once to its end and `asked.runs` times with an interruption; leave the reports.

    Returns:
        0 if all of them are the same, 1 if not.

    Raises:
        KitError: the script is not there, fails, or has no way to resume.
    """
    inputs = recording.folder_of(asked.script)
    containers.sweep(host.client)
    places = elsewhere.places((), host, built.name, built.config_digest)
    with scratch() as work, places as at_hand:
        # No run copies it along with the script's folder.
        unbroken = work / f"{agreed.TEMPORARY}unbroken"
        recorder = recording.Recording(at_hand, built, asked.command, inputs, asked.jobs)
        recorder.run([unbroken], f"of {asked.script}, to its end")
        folders = [work / f"run-{number}" for number in range(1, asked.runs + 1)]
        halves = _Halves(host, built, asked.command, [*inputs, unbroken], unbroken.name)
        total = len(folders)
        with stage(f"{total} runs, killed and started again") as notice:

            def one(number: int) -> None:
                halves.record(
                    number, folders[number - 1], lambda line: notice(f"{number} of {total}, {line}")
                )

            with ThreadPoolExecutor(asked.jobs) as pool:
                at_once.results([pool.submit(one, number) for number in range(1, total + 1)])
        judged = verify.judge(host, built, [unbroken, *folders], asked)
    return verify.show(judged, asked)


@dataclass(frozen=True)
class _Halves:
    """Records runs that are killed, each half in a container of its own."""

    host: Engine
    built: Built
    command: list[str]
    inputs: list[Path]
    unbroken: str

    def record(self, number: int, into: Path, notice: Callable[[str], None]) -> None:
        """Record the run of a number, from 1, which says at which step it is killed.

        Raises:
            KitError: it could not be started.
        """
        options = ["--progress", f"--interrupt={number}", f"--of={self.unbroken}"]
        keep = f"{SHARED}/run"
        argv = ["tf-repro", "record", *options, f"--keep={keep}", "--", *self.command]
        with containers.volume(self.host.client) as volume:
            killed = self._half(argv, volume, lambda line: notice(f"to be killed: {line}"))
            if killed.exit_code:
                raise KitError(last_words(killed.stderr).removeprefix("tf-repro: "))
            again = self._half(
                argv, volume, lambda line: notice(f"started again: {line}"), {keep: into}
            )
        if not (into / agreed.RUN).exists():
            raise KitError(last_words(again.stderr).removeprefix("tf-repro: "))

    def _half(
        self,
        argv: list[str],
        volume: str,
        notice: Callable[[str], None],
        folders: dict[str, Path] | None = None,
    ) -> Finished:
        return containers.run(
            self.host.client,
            self.built.name,
            argv,
            env=recording.settings(os.environ, self.built),
            inputs=self.inputs,
            folders=folders,
            on_line=lambda line: notice(line.removeprefix(agreed.PROGRESS)),
            settings={"volumes": {volume: {"bind": SHARED, "mode": "rw"}}},
        )
