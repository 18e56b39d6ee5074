"""Verify a training in a job of GitHub Actions: the steps of action.yml, as one program.

It runs `tf-repro verify` in the team's own image, on each worker of a cluster if there is one, and
says how that ended where a reader of the job looks: in its summary, at the line of the script that
parts, and in a badge. Its exit status is verify's: 0 identical, 1 different, 2 could not run.
Standard library only, for any runner's Python.
https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

IDENTICAL, DIFFERENT, COULD_NOT_RUN = 0, 1, 2
VERDICTS = {IDENTICAL: "identical", DIFFERENT: "different"}
COLOURS = {IDENTICAL: "brightgreen", DIFFERENT: "red"}
REPORT, PAGE, PASSPORT, BADGE = "report.json", "report.html", "passport.json", "badge.json"
PRINTED = "printed.txt"  # of a worker
BISECT = "--bisect"  # the default of the options, which says nothing of an interrupted run
FEWEST = 2  # runs that can be compared
PORT = 2222  # of a worker, which has an address of its own
GRACE_SECONDS = 60.0  # until a worker is ended whose peer has failed: it would wait for ever


class BadInputError(Exception):
    """An input of the action is of no use; the message is one line for the user."""


def main(argv: list[str]) -> int:
    """Verify as the command line says; return the exit status."""
    parser = argparse.ArgumentParser(description="Verify a training in a job.")
    parser.add_argument("--image", required=True, help="derived from one of the family's")
    parser.add_argument("--runs", default="3", help="how many")
    parser.add_argument("--arguments", default="", help="the program's own, as a shell splits them")
    parser.add_argument("--options", default="", help="of tf-repro verify, likewise")
    parser.add_argument("--golden", default="", help="a committed passport")
    parser.add_argument("--workers", default="1", help="containers that train together")
    parser.add_argument("--interrupt", default="0", help="runs that are killed and started again")
    parser.add_argument("--into", default="verified", help="the folder of the reports")
    parser.add_argument("program", help="a script, or `pytest`")
    chosen = parser.parse_args(argv)
    try:
        job = asked(chosen)
    except BadInputError as error:
        annotate(str(error))
        output(verdict="failed", sentence=str(error))
        return COULD_NOT_RUN
    status, printed, into = job.run()
    tell(status, printed, into)
    return status


@dataclass
class Job:
    """A verification.

    Attributes:
        image: what it runs in.
        verify: options of `tf-repro verify`, but for those that name a report.
        program: what is verified.
        into: the folder of the reports; of several workers, each has one of its own in it.
        workers: how many containers train together.
    """

    image: str
    verify: list[str]
    program: list[str]
    into: Path
    workers: int = 1
    name: str = field(default_factory=lambda: f"tf-repro-{uuid.uuid4().hex[:12]}")

    def run(self) -> tuple[int, str, Path]:
        """Verify; return the exit status, what was printed, and the folder of the reports."""
        for folder in map(self.folder, range(self.workers)):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / REPORT).unlink(missing_ok=True)  # an earlier step's
        if self.workers == 1:
            return (*run(self.command(0)), self.into)
        try:
            with self.network():
                ended = self.cluster()
        except OSError as error:
            annotate(f"docker: {error.strerror}; the runner needs Docker")
            return COULD_NOT_RUN, "", self.into
        worst = max(range(self.workers), key=lambda index: ended[index])
        printed = (self.folder(worst) / PRINTED).read_text(errors="replace")
        sys.stdout.write(f"worker {worst} of {self.workers}:\n{printed}")
        return ended[worst], printed, self.folder(worst)

    def folder(self, index: int) -> Path:
        """Return where a worker's reports go."""
        return self.into if self.workers == 1 else self.into / f"worker-{index}"

    def command(self, index: int) -> list[str]:
        """Return the command of a worker: `docker run`, and all that follows."""
        # The reports are the runner's, and not root's.
        container = ["docker", "run", "--rm", f"--user={os.getuid()}:{os.getgid()}"]
        container += [f"--volume={Path.cwd()}:/work", "--workdir=/work"]
        container += ["--env=COLUMNS=120", "--env=TF_CPP_MIN_LOG_LEVEL=3"]
        if self.workers > 1:
            hosts = [f"worker-{number}:{PORT}" for number in range(self.workers)]
            task = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
            container += [f"--name={self.name}-{index}", f"--network={self.name}"]
            container += [f"--network-alias=worker-{index}", f"--env=TF_CONFIG={json.dumps(task)}"]
        folder = self.folder(index)
        reports = [f"--json={folder}/{REPORT}", f"--html={folder}/{PAGE}"]
        reports += [f"--passport={folder}/{PASSPORT}"]
        verify = ["tf-repro", "verify", *reports, *self.verify]
        return [*container, self.image, *verify, "--", "python", *self.program]

    @contextmanager
    def network(self) -> Iterator[None]:
        """Make a network of the workers' own, and remove it with all that is left in it."""
        made = subprocess.run(
            ["docker", "network", "create", "--internal", self.name],
            stdout=subprocess.DEVNULL,
            check=False,
        )
        if made.returncode:
            raise OSError(made.returncode, "no network could be made")
        try:
            yield
        finally:
            names = [f"{self.name}-{index}" for index in range(self.workers)]
            for words in (["rm", "--force", *names], ["network", "rm", self.name]):
                subprocess.run(
                    ["docker", *words],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    check=False,
                )

    def cluster(self) -> list[int]:
        """Verify on every worker; return their exit statuses.

        When one could not run, the others are ended a little later.
        """
        running = []
        for index in range(self.workers):
            with (self.folder(index) / PRINTED).open("w") as out:
                command = self.command(index)
                running.append(subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT))
        patience = float("inf")
        while any(process.poll() is None for process in running):
            failed = any((process.poll() or 0) >= COULD_NOT_RUN for process in running)
            patience = min(patience, time.monotonic() + GRACE_SECONDS) if failed else patience
            if time.monotonic() > patience:
                break  # the network takes them along
            time.sleep(1)
        ended = [process.poll() for process in running]
        return [status if status in VERDICTS else COULD_NOT_RUN for status in ended]


def asked(chosen: argparse.Namespace) -> Job:
    """Return what the inputs ask for.

    Raises:
        BadInputError: an input is of no use.
    """
    if not chosen.image:
        raise BadInputError("image is empty: name the image that the training runs in")
    if not chosen.runs.isdigit() or int(chosen.runs) < FEWEST:
        raise BadInputError(f"runs is {chosen.runs!r}: give a whole number from {FEWEST} up")
    if not chosen.workers.isdigit() or int(chosen.workers) < 1:
        raise BadInputError(f"workers is {chosen.workers!r}: give a whole number from 1 up")
    if not chosen.interrupt.isdigit():
        raise BadInputError(f"interrupt is {chosen.interrupt!r}: give a whole number from 0 up")
    if int(chosen.workers) > 1 and int(chosen.interrupt):
        raise BadInputError("workers and interrupt: one at a time, as a cluster does not resume")
    if chosen.program != "pytest" and not Path(chosen.program).is_file():
        raise BadInputError(f"script {chosen.program!r}: no such file in this checkout")
    if chosen.golden and not Path(chosen.golden).is_file():
        raise BadInputError(f"golden {chosen.golden!r}: no such file in this checkout")
    if Path(chosen.into).is_absolute() or ".." in Path(chosen.into).parts:
        raise BadInputError(f"reports {chosen.into!r}: name a folder of this checkout")
    arguments, options = words("arguments", chosen.arguments), words("options", chosen.options)
    program = ["-m", "pytest"] if chosen.program == "pytest" else [chosen.program]
    verify = [f"--runs={chosen.runs}", *options]
    if int(chosen.interrupt):
        verify = [f"--interrupt={chosen.interrupt}", *(one for one in options if one != BISECT)]
    verify += [f"--golden={chosen.golden}"] if chosen.golden else []
    return Job(chosen.image, verify, [*program, *arguments], Path(chosen.into), int(chosen.workers))


def words(name: str, text: str) -> list[str]:
    """Return the words of a text, split as a shell splits them.

    Raises:
        BadInputError: a quote is not closed.
    """
    try:
        return shlex.split(text)
    except ValueError as error:
        raise BadInputError(f"{name} {text!r}: {error}") from error


def run(command: list[str]) -> tuple[int, str]:
    """Run the command, pass on what it prints, and return its exit status and that."""
    try:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
    except OSError as error:
        annotate(f"{command[0]}: {error.strerror}; the runner needs Docker")
        return COULD_NOT_RUN, ""
    lines = []
    assert process.stdout
    for line in process.stdout:
        lines.append(line)
        sys.stdout.write(line)
        sys.stdout.flush()
    status = process.wait()
    return (status if status in VERDICTS else COULD_NOT_RUN), "".join(lines)


def tell(status: int, printed: str, into: Path) -> None:
    """Write the summary, the annotation, the badge and the outputs of the step."""
    report = read(into / REPORT)
    sentence = report.get("sentence") or last_line(printed)
    badge = {
        "schemaVersion": 1,
        "label": "reproducible",
        "message": sentence if status in VERDICTS else "could not run",
        "color": COLOURS.get(status, "lightgrey"),
    }
    (into / BADGE).write_text(json.dumps(badge) + "\n")
    if status != IDENTICAL:
        annotate(f"tf-repro: {sentence}", report.get("place"))
    output(verdict=VERDICTS.get(status, "failed"), sentence=sentence)
    mark = {IDENTICAL: "✅", DIFFERENT: "❌"}.get(status, "⚠️")
    append("GITHUB_STEP_SUMMARY", f"### {mark} {sentence}\n\n```\n{printed.strip()}\n```\n")


def read(path: Path) -> dict[str, Any]:
    """Return a report; empty where there is none, as nothing ran."""
    if not path.exists():
        return {}
    report: dict[str, Any] = json.loads(path.read_text())
    return report


def last_line(printed: str) -> str:
    """Return the last line that says something."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    return lines[-1].replace("tf-repro: ", "") if lines else "nothing ran"


def annotate(message: str, place: dict[str, Any] | None = None) -> None:
    """Have the job show an error, at a line if there is one."""
    at = " file={file},line={line}".format(**place) if place else ""
    sys.stdout.write(f"::error{at}::{escaped(message)}\n")
    sys.stdout.flush()


def escaped(text: str) -> str:
    """Return a text as a workflow command takes it, on one line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def output(**values: str) -> None:
    """Set outputs of the step; each is one line."""
    for name, value in values.items():
        append("GITHUB_OUTPUT", f"{name}={' '.join(value.split())}\n")


def append(variable: str, text: str) -> None:
    """Add to a file that the runner names, where it does."""
    path = os.environ.get(variable)
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
