"""`make verify`: a user's script, several times, each in a fresh container; the image judges."""

from __future__ import annotations

import json
import os
import shlex
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
from scripts.engine.engine import Engine
from scripts.errors import KitError
from scripts.places import scratch
from scripts.processes import finish, last_words
from scripts.proof import agreed, by_engine
from scripts.ui import say, stage

# The script's folder is copied into each container, as the engine may be on another machine.
FOLDER_BYTES = 1 << 30
# What a user may have set for the run; everything else is the image's.
HANDED_ON = (*agreed.SETTINGS, "TF_CPP_MIN_LOG_LEVEL")
# Where a run is recorded: not below the script's folder, which it would be compared with.
RECORD = "/tf-repro-run"
REPORTS = ("report.json", "report.html", "passport.json")
# What has the image write them.
WRITES_REPORTS = [
    f"--{option}={name}" for option, name in zip(("json", "html", "passport"), REPORTS, strict=True)
]


@dataclass(frozen=True)
class Asked:
    """What is verified: a script with its arguments, how often, and where the reports go.

    Attributes:
        judging: options of `tf-repro judge`.
        bisect: whether more pairs of runs look for the operation, if the runs part.
        jobs: how many runs at the same time.
        workers: how many containers a run has, which find each other by TF_CONFIG.
        golden: a passport, with whose bits the runs are to end.
        engines: which the runs are spread over; none is the one at hand.
    """

    script: Path
    arguments: Sequence[str]
    runs: int
    judging: Sequence[str]
    into: Path
    bisect: bool = False
    jobs: int = 1
    workers: int = 1
    golden: Path | None = None
    engines: Sequence[str] = ()

    @property
    def command(self) -> list[str]:
        """What runs in a container."""
        interpreter = [] if self.script.suffix == agreed.NOTEBOOK else ["python"]
        return [*interpreter, self.script.name, *self.arguments]


def verify(host: Engine, built: Built, asked: Asked) -> int:
    """Run a script several times and compare the runs; the reports are left in `asked.into`.

    Returns:
        0 if the runs are identical, and end with the golden bits; 1 if not.

    Raises:
        KitError: the script is not there, its folder is too large to be copied, or it fails.
    """
    inputs = folder_of(asked.script)
    if asked.engines and asked.workers > 1:
        raise KitError("ENGINES and WORKERS: one at a time, as a cluster is on one engine")
    if asked.golden:
        _see_that_it_is_a_passport(host, built, asked.golden)
    spread = elsewhere.places(asked.engines, host, built.name, built.config_digest)
    with scratch() as work, spread as places:
        folders = [work / f"run-{number}" for number in range(1, asked.runs + 1)]
        recording = Recording(places, built, asked.command, inputs, asked.jobs, asked.workers)
        recording.run(folders, f"of {asked.script}")
        judged = _judge(host, built, folders, asked)
        for attempt in range(agreed.ATTEMPTS if asked.bisect else 0):
            step = _step_to_bisect(asked)
            if step is None:
                break
            pair = [work / f"{agreed.PAIR}{2 * attempt + number}" for number in (1, 2)]
            recording.run(pair, f"with every operation around step {step}", step)
            folders += pair
            judged = _judge(host, built, folders, asked)
    status = show(judged, asked)
    if asked.engines:
        by_engine.tell(asked.into / REPORTS[0], [place.name for place in places])
    return status


def show(judged: Finished, asked: Asked) -> int:
    """Print what the image has judged, and where its reports are; return its exit status."""
    print(judged.stdout, end="")  # noqa: T201 - the result
    say(f"{', '.join(REPORTS)} are in {asked.into}")
    return judged.exit_code


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
                self._one(place, folders[number - 1], show, bisect_at)
                ends.append(time.monotonic() - started)

            runs = [
                pools[by_engine.turn(number, len(pools))].submit(one, number)
                for number in range(1, total + 1)
            ]
            try:
                for run in runs:
                    run.result()
            finally:
                for run in runs:
                    run.cancel()  # what has not begun when one fails

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


def _see_that_it_is_a_passport(host: Engine, built: Built, path: Path) -> None:
    """Have the image read it, before hours of runs."""
    if not path.is_file():
        raise KitError(f"GOLDEN={path}: no such file; name a passport on this machine")
    argv = ["tf-repro", "compare", path.name, path.name]
    _tell(containers.run(host.client, built.name, argv, env={}, inputs=[path]))


def _tell(ended: Finished) -> None:
    """Pass on why the image could not do what it was asked to, if so."""
    if ended.exit_code >= agreed.COULD_NOT_RUN:
        raise KitError(last_words(ended.stderr).removeprefix("tf-repro: "))


def words(name: str, text: str) -> list[str]:
    """Return the words of a text, split as a shell splits them; it expands nothing.

    Args:
        name: what to call the text.
        text: words, with quotes around what a space is to be kept in.

    Raises:
        KitError: a quote is not closed.
    """
    try:
        return shlex.split(text)
    except ValueError as error:
        raise KitError(f"{name}={text}: {error}") from error


def _judge(host: Engine, built: Built, folders: Sequence[Path], asked: Asked) -> Finished:
    names = [folder.name for folder in folders]
    options = [*WRITES_REPORTS, *([f"--golden={asked.golden.name}"] if asked.golden else [])]
    ended = containers.run(
        host.client,
        built.name,
        ["tf-repro", "judge", *asked.judging, *options, *names],
        env={agreed.IMAGE: built.config_digest, "COLUMNS": "140"},
        inputs=[*folders, *([asked.golden] if asked.golden else [])],
        outputs=REPORTS,
    )
    leave(ended, asked)
    return ended


def leave(ended: Finished, asked: Asked) -> None:
    """Leave the reports that a container brought back, and add the commit to the passport.

    Raises:
        KitError: it could not run, so that there are none.
    """
    _tell(ended)
    asked.into.mkdir(parents=True, exist_ok=True)
    for name, content in ended.files.items():
        (asked.into / name).write_bytes(content)
    _add_revision(asked)


def _step_to_bisect(asked: Asked) -> int | None:
    """Return the step that a pair of runs should look into; None if that is of no use."""
    step = json.loads((asked.into / REPORTS[0]).read_text())["bisect_at"]
    return None if step is None else int(step)


def _add_revision(asked: Asked) -> None:
    """Add the script's commit to the passport: the container has no git, and no repository."""
    done = finish(agreed.DESCRIBE, cwd=asked.script.resolve().parent)
    path = asked.into / REPORTS[2]
    passport = json.loads(path.read_text())
    passport["environment"]["revision"] = done.stdout.strip() if done.returncode == 0 else ""
    path.write_text(json.dumps(passport, indent=1) + "\n")
