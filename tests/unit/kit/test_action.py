"""The action for other repositories' workflows: what a job shows, and its exit status."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.places import REPO
from tests.pages import pages

PROGRAM = REPO / "action/verify.py"
# In place of Docker: it keeps what it was asked, and ends as the test says.
DOCKER = """#!/usr/bin/env python3
import json, os, pathlib, sys
pathlib.Path("asked.json").write_text(json.dumps(sys.argv[1:]))
if os.environ["REPORT"]:
    pathlib.Path("verified/report.json").write_text(os.environ["REPORT"])
print("tf-repro: what it says")
sys.exit(int(os.environ["STATUS"]))
"""
SAME = {"sentence": "3 of 3 runs identical"}
APART = {"sentence": "1 of 3 runs DIFFER", "place": {"file": "train.py", "line": 2}}


@dataclass
class Step:
    """What a step of a job left."""

    status: int
    printed: str
    summary: str
    outputs: dict[str, str]
    asked: list[str]
    badge: dict[str, Any]


class Job:
    """A checkout of another repository, and a runner."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bin").mkdir()
        (folder / "bin/docker").write_text(DOCKER)
        (folder / "bin/docker").chmod(0o755)
        (folder / "train.py").write_text("import random\nrandom.random()\n")
        (folder / "golden.json").write_text("{}")

    def step(self, *argv: str, status: int = 0, report: dict[str, Any] | None = None) -> Step:
        """Run the action's program."""
        summary, outputs = self.folder / "summary.md", self.folder / "outputs"
        for path in (summary, outputs, self.folder / "asked.json"):
            path.unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, PROGRAM, *argv],
            cwd=self.folder,
            env={
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "GITHUB_STEP_SUMMARY": str(summary),
                "GITHUB_OUTPUT": str(outputs),
                "STATUS": str(status),
                "REPORT": json.dumps(report) if report else "",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        asked, badge = self.folder / "asked.json", self.folder / "verified/badge.json"
        return Step(
            done.returncode,
            done.stdout,
            summary.read_text() if summary.exists() else "",
            dict(line.split("=", 1) for line in outputs.read_text().splitlines()),
            json.loads(asked.read_text()) if asked.exists() else [],
            json.loads(badge.read_text()) if badge.exists() else {},
        )


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_identical_runs(job: Job) -> None:
    arguments = ("--arguments=--epochs 2 'a b'", "--options=--jobs 2", "--golden=golden.json")
    step = job.step("--image=team/training:1", *arguments, "--", "train.py", report=SAME)
    assert step.status == 0
    assert step.outputs == {"verdict": "identical", "sentence": "3 of 3 runs identical"}
    assert "3 of 3 runs identical" in step.summary
    assert "what it says" in step.summary
    assert step.badge["message"] == "3 of 3 runs identical"
    assert "::error" not in step.printed
    at = step.asked.index("team/training:1")
    assert step.asked[at + 1 : at + 3] == ["tf-repro", "verify"]
    assert {"--runs=3", "--jobs", "--golden=golden.json"} <= set(step.asked)
    assert step.asked[step.asked.index("--") :] == [
        *("--", "python", "train.py"),
        *("--epochs", "2", "a b"),
    ]


def test_runs_that_part_are_shown_at_the_line(job: Job) -> None:
    step = job.step("--image=i", "--", "train.py", status=1, report=APART)
    assert step.status == 1
    assert "::error file=train.py,line=2::tf-repro: 1 of 3 runs DIFFER" in step.printed
    assert step.outputs["verdict"] == "different"
    assert step.badge["color"] == "red"


def test_other_than_the_golden_bits(job: Job) -> None:
    said = "3 of 3 runs identical, and NOT the bits of golden.json"
    report = {**SAME, "sentence": said, "golden": {"file": "golden.json", "same": False}}
    step = job.step("--image=i", "--golden=golden.json", "--", "train.py", status=1, report=report)
    assert step.status == 1
    assert step.outputs["sentence"] == said
    assert "::error::tf-repro: 3 of 3 runs identical, and NOT" in step.printed


@pytest.mark.parametrize("status", [2, 125, 137])
def test_what_could_not_run(job: Job, status: int) -> None:
    """An earlier step's report is none of this one's."""
    job.step("--image=i", "--", "train.py", report=SAME)
    step = job.step("--image=i", "--", "train.py", status=status)
    assert (step.status, step.outputs["verdict"]) == (2, "failed")
    assert "::error::tf-repro: what it says" in step.printed
    assert step.badge["message"] == "could not run"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--image=", "--", "train.py"), "image is empty"),
        (("--image=i", "--runs=1", "--", "train.py"), "runs is '1': give a whole number from 2"),
        (("--image=i", "--runs=many", "--", "train.py"), "runs is 'many'"),
        (("--image=i", "--workers=0", "--", "train.py"), "workers is '0'"),
        (("--image=i", "--interrupt=x", "--", "train.py"), "interrupt is 'x'"),
        (
            ("--image=i", "--workers=2", "--interrupt=1", "--", "train.py"),
            "workers and interrupt: one at a time",
        ),
        (("--image=i", "--", "other.py"), "script 'other.py': no such file"),
        (("--image=i", "--golden=no.json", "--", "train.py"), "golden 'no.json': no such file"),
        (("--image=i", "--into=../x", "--", "train.py"), "reports '../x': name a folder of"),
        (("--image=i", "--arguments='", "--", "train.py"), 'arguments "\'": No closing quotation'),
    ],
)
def test_a_bad_input_is_one_line_and_nothing_runs(
    job: Job, argv: tuple[str, ...], said: str
) -> None:
    step = job.step(*argv)
    assert (step.status, step.outputs["verdict"], step.asked) == (2, "failed", [])
    assert step.printed.startswith(f"::error::{said}")
    assert step.printed.count("\n") == 1


def test_interrupted_runs_are_asked_for_without_the_search_of_an_operation(job: Job) -> None:
    options = ("--interrupt=2", "--options=--bisect --jobs 2")
    step = job.step("--image=i", *options, "--", "train.py", report=SAME)
    assert {"--interrupt=2", "--jobs"} <= set(step.asked)
    assert not {"--runs=3", "--bisect"} & set(step.asked)


def test_pytest_is_run_as_a_module(job: Job) -> None:
    step = job.step("--image=i", "--arguments=-k slow", "--", "pytest", report=SAME)
    assert step.asked[step.asked.index("--") + 1 :] == ["python", "-m", "pytest", "-k", "slow"]


def test_every_input_of_the_action_reaches_the_program() -> None:
    action = yaml.safe_load((REPO / "action.yml").read_text())
    verify, upload = action["runs"]["steps"]
    given = {
        re.fullmatch(r"\$\{\{ inputs\.(\w+) \}\}", text)[1]  # type: ignore[index]
        for name, text in verify["env"].items()
        if name != "ACTION"
    }
    assert given == action["inputs"].keys()
    assert all(f'"${name}"' in verify["run"] for name in verify["env"] if name != "ACTION")
    assert re.fullmatch(r"actions/upload-artifact@[0-9a-f]{40}", upload["uses"])


def test_the_examples_give_inputs_that_there_are() -> None:
    action = yaml.safe_load((REPO / "action.yml").read_text())["inputs"]
    example = yaml.safe_load((REPO / "examples/ci/github.yml").read_text())
    (used,) = (step for step in example["jobs"]["verify"]["steps"] if "tf-repro@" in step["uses"])
    assert used["with"].keys() <= action.keys()
    for page in pages():
        for block in page.fences("yaml"):
            whole = yaml.safe_load(block)
            # A page has the step alone, or a workflow, which checks out first.
            *_, step = whole if isinstance(whole, list) else whole["jobs"]["verify"]["steps"]
            uses, inputs = step["uses"].partition("@")[0], step["with"]
            assert (uses, inputs) == ("org/tf-repro", used["with"])
    spec, job = yaml.safe_load_all((REPO / "templates/verify.yml").read_text())
    (component,) = yaml.safe_load((REPO / "examples/ci/gitlab.yml").read_text())["include"]
    assert component["inputs"].keys() <= spec["spec"]["inputs"].keys()
    schema = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci"]
    pipeline = json.dumps(job).replace("$[[ inputs.stage ]]", "test")
    checked = subprocess.run([*schema, "-"], input=pipeline, text=True, check=False)
    assert checked.returncode == 0
    used_there = set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", str(job)))
    assert used_there == spec["spec"]["inputs"].keys()
