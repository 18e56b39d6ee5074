"""`make verify`: a user's script, several times, each in a fresh container; the image judges."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scripts.build.build import Built
from scripts.engine import containers, elsewhere
from scripts.engine.containers import Finished
from scripts.engine.engine import Engine
from scripts.errors import KitError
from scripts.places import scratch
from scripts.processes import finish, last_words
from scripts.proof import agreed, by_engine
from scripts.proof.recording import Recording, folder_of
from scripts.ui import say

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
    containers.sweep(host.client)
    if asked.golden:
        _see_that_it_is_a_passport(host, built, asked.golden)
    spread = elsewhere.places(asked.engines, host, built.name, built.config_digest)
    with scratch() as work, spread as places:
        folders = [work / f"run-{number}" for number in range(1, asked.runs + 1)]
        recorder = Recording(places, built, asked.command, inputs, asked.jobs, asked.workers)
        recorder.run(folders, f"of {asked.script}")
        judged = judge(host, built, folders, asked)
        for attempt in range(agreed.ATTEMPTS if asked.bisect else 0):
            step = _step_to_bisect(asked)
            if step is None:
                break
            pair = [work / f"{agreed.PAIR}{2 * attempt + number}" for number in (1, 2)]
            where = by_engine.that_parted(asked.into / REPORTS[0], places)
            words = f"with every operation around step {step}"
            replace(recorder, places=where).run(pair, words, step)
            folders += pair
            judged = judge(host, built, folders, asked)
        status = show(judged, asked)
        if asked.engines:

            def is_close(run: int) -> bool:
                return _are_equal(host, built, [folders[0], folders[run - 1]], asked)

            by_engine.tell(asked.into / REPORTS[0], [place.name for place in places], is_close)
    return status


def show(judged: Finished, asked: Asked) -> int:
    """Print what the image has judged, and where its reports are; return its exit status."""
    print(judged.stdout, end="")  # noqa: T201 - the result
    say(f"{', '.join(REPORTS)} are in {asked.into}")
    return judged.exit_code


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


def judge(host: Engine, built: Built, folders: Sequence[Path], asked: Asked) -> Finished:
    """Have the image judge recorded runs, and leave the reports in `asked.into`.

    Raises:
        KitError: they cannot be judged.
    """
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


def _are_equal(host: Engine, built: Built, folders: Sequence[Path], asked: Asked) -> bool:
    """Return whether two recorded runs are, as the image judges, within the tolerance asked for."""
    argv = ["tf-repro", "judge", *asked.judging, *(folder.name for folder in folders)]
    ended = containers.run(host.client, built.name, argv, env={}, inputs=folders)
    _tell(ended)
    return ended.exit_code == 0


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
