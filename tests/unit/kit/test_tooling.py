"""What editors, hooks and GitHub read: it parses, and says the same as what the kit itself runs."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.places import REPO

DEVCONTAINER = REPO / ".devcontainer" / "devcontainer.json"
WORKFLOW = REPO / ".github" / "workflows" / "test.yml"


def hooks() -> list[str]:
    """Return what pre-commit runs, without the variables that it sets before."""
    config = yaml.safe_load((REPO / ".pre-commit-config.yaml").read_text())
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    found = config["repos"][0]["hooks"]
    assert {hook["language"] for hook in found} == {"system"}
    return [re.sub(r"^env \S+ ", "", hook["entry"]) for hook in found]


def lint() -> list[str]:
    """Return what `make lint` runs, without the variables that it sets before."""
    done = subprocess.run(
        ["make", "--dry-run", "lint"], cwd=REPO, capture_output=True, text=True, check=True
    )
    lines = [re.sub(r"^PATH=\S+ ", "", line) for line in done.stdout.splitlines()]
    return [line for line in lines if line.startswith(".venv/")]


def test_pre_commit_runs_what_make_lint_runs() -> None:
    linted, hooked = lint(), hooks()
    assert len(linted) > 5
    assert [one for one in hooked if not any(line.startswith(one) for line in linted)] == []
    assert [line for line in linted if not any(line.startswith(one) for one in hooked)] == []


def ci() -> dict[str, Any]:
    """Return the job that tests every change."""
    job: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text())["jobs"]["test"]
    return job


def packages(text: str) -> list[str]:
    """Return what a text has apt-get install."""
    (line,) = re.findall(r"apt-get install (.*?)(?: \\)?$", text, re.MULTILINE)
    return [word for word in shlex.split(line) if not word.startswith("-")]


def test_the_devcontainer_is_the_machine_of_ci() -> None:
    described = json.loads(DEVCONTAINER.read_text())
    dockerfile = (DEVCONTAINER.parent / described["build"]["dockerfile"]).read_text()
    assert f"FROM {ci()['container']['image']}\n" in dockerfile
    assert packages(dockerfile) == packages(ci()["steps"][0]["run"])
    # As in CI: the private engine needs the rights, and a disk that is not a container's own.
    assert "--privileged" in ci()["container"]["options"]
    assert described["privileged"] is True
    (mount,) = described["mounts"]
    assert described["containerEnv"]["TF_REPRO_DATA"] == mount["target"]


def test_the_devcontainer_names_what_there_is() -> None:
    described = json.loads(DEVCONTAINER.read_text())
    # https://containers.dev/implementors/json_reference
    assert described.keys() <= {
        *("name", "build", "privileged", "remoteUser", "containerEnv", "mounts"),
        *("postCreateCommand", "customizations"),
    }
    command = shlex.split(described["postCreateCommand"])
    subprocess.run([*command, "--dry-run"], cwd=REPO, capture_output=True, check=True)
    settings = described["customizations"]["vscode"]["settings"]
    assert all((REPO / path).exists() for path in settings["python.testing.pytestArgs"])
    assert settings["python.defaultInterpreterPath"].endswith("/.venv/bin/python")


def attribute(name: str, path: str) -> str:
    """Return git's value of an attribute of a path."""
    done = subprocess.run(
        ["git", "check-attr", name, "--", path],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip().rpartition(": ")[2]


@pytest.mark.parametrize("pattern", ["images/*/*.lock", "images/README.md", "requirements.lock"])
def test_what_is_generated_is_marked(pattern: str) -> None:
    paths = [str(path.relative_to(REPO)) for path in sorted(REPO.glob(pattern))]
    assert paths
    for path in paths[:3]:
        assert attribute("linguist-generated", path) == "set"
        # What moved in an image is what somebody reviews.
        assert (attribute("diff", path) == "unset") == (path == "requirements.lock")


@pytest.mark.parametrize("path", ["Makefile", "scripts/__main__.py", "images/matrix.toml"])
def test_what_is_written_by_hand_is_not(path: str) -> None:
    assert attribute("linguist-generated", path) == "unspecified"


def test_the_changelog_has_the_kits_version() -> None:
    version = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["version"]
    headings = re.findall(r"^## (.*)$", Path(REPO / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert headings[1].split()[0] == version
