"""Verify a training in a job of GitHub Actions: the steps of action.yml, as one program.

It runs `tf-repro verify` in the team's own image, and says how that ended where a reader of the job
looks: in its summary, at the line of the script that parts, and in a badge. Its exit status is
verify's: 0 identical, 1 different, 2 could not run. Standard library only, for any runner's Python.
https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

IDENTICAL, DIFFERENT, COULD_NOT_RUN = 0, 1, 2
VERDICTS = {IDENTICAL: "identical", DIFFERENT: "different"}
COLOURS = {IDENTICAL: "brightgreen", DIFFERENT: "red"}
REPORT, PAGE, PASSPORT, BADGE = "report.json", "report.html", "passport.json", "badge.json"
FEWEST = 2  # runs that can be compared
# Where a script's line is named in a report, as in `train.py:22`.
PLACE = re.compile(r"([\w./-]+\.py):(\d+)")


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
    parser.add_argument("--into", default="verified", help="the folder of the reports")
    parser.add_argument("program", help="a script, or `pytest`")
    chosen = parser.parse_args(argv)
    try:
        command = verification(chosen)
    except BadInputError as error:
        annotate(str(error))
        output(verdict="failed", sentence=str(error))
        return COULD_NOT_RUN
    into = Path(chosen.into)
    into.mkdir(parents=True, exist_ok=True)
    (into / REPORT).unlink(missing_ok=True)  # an earlier step's
    status, printed = run(command)
    tell(status, printed, into)
    return status


def verification(chosen: argparse.Namespace) -> list[str]:
    """Return the command that verifies, in a container of the image.

    Raises:
        BadInputError: an input is of no use.
    """
    if not chosen.image:
        raise BadInputError("image is empty: name the image that the training runs in")
    if not chosen.runs.isdigit() or int(chosen.runs) < FEWEST:
        raise BadInputError(f"runs is {chosen.runs!r}: give a whole number from {FEWEST} up")
    if chosen.program != "pytest" and not Path(chosen.program).is_file():
        raise BadInputError(f"script {chosen.program!r}: no such file in this checkout")
    if chosen.golden and not Path(chosen.golden).is_file():
        raise BadInputError(f"golden {chosen.golden!r}: no such file in this checkout")
    if Path(chosen.into).is_absolute() or ".." in Path(chosen.into).parts:
        raise BadInputError(f"reports {chosen.into!r}: name a folder of this checkout")
    arguments, options = words("arguments", chosen.arguments), words("options", chosen.options)
    program = ["-m", "pytest"] if chosen.program == "pytest" else [chosen.program]
    reports = [f"--json={chosen.into}/{REPORT}", f"--html={chosen.into}/{PAGE}"]
    golden = [f"--golden={chosen.golden}"] if chosen.golden else []
    # The reports are the runner's, and not root's.
    container = ["docker", "run", "--rm", f"--user={os.getuid()}:{os.getgid()}"]
    container += [f"--volume={Path.cwd()}:/work", "--workdir=/work"]
    container += ["--env=COLUMNS=120", "--env=TF_CPP_MIN_LOG_LEVEL=3", chosen.image]
    verify = ["tf-repro", "verify", f"--runs={chosen.runs}", *reports]
    verify += [f"--passport={chosen.into}/{PASSPORT}", *golden, *options]
    return [*container, *verify, "--", "python", *program, *arguments]


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
    golden: dict[str, Any] = report.get("golden") or {}
    if golden and not golden["same"]:
        sentence = f"{sentence}, and NOT the bits of {golden['file']}"
    badge = {
        "schemaVersion": 1,
        "label": "reproducible",
        "message": sentence if status in VERDICTS else "could not run",
        "color": COLOURS.get(status, "lightgrey"),
    }
    (into / BADGE).write_text(json.dumps(badge) + "\n")
    if status != IDENTICAL:
        annotate(f"tf-repro: {sentence}", place(report))
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


def place(report: dict[str, Any]) -> tuple[str, str] | None:
    """Return the file and line of the checkout at which the runs part, if the report names one."""
    found = report.get("bisected") or {}
    causes = [pair["cause"] for pair in report.get("pairs", []) if pair.get("cause")]
    texts = [found.get("place", ""), *(cause["reason"] for cause in causes)]
    texts += [hint for cause in causes for hint in cause["hints"]]
    for text in texts:
        for file, line in PLACE.findall(text):
            if Path(file).is_file():
                return file, line
    return None


def annotate(message: str, where: tuple[str, str] | None = None) -> None:
    """Have the job show an error, at a line if there is one."""
    at = f" file={where[0]},line={where[1]}" if where else ""
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
