"""`make lint` checks what there is: nobody has to name a new workflow anywhere."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.places import REPO


@pytest.fixture
def asked(tmp_path: Path) -> str:
    """What make would run in a tree with one workflow of each spelling."""
    shutil.copy(REPO / "Makefile", tmp_path)
    for path in (".github/workflows/one.yml", ".github/workflows/two.yaml", ".gitlab-ci.yml"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    return dry_run(tmp_path)


def dry_run(folder: Path) -> str:
    for path in ("requirements.lock", "scripts/bootstrap.sh", ".venv/.complete"):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).touch()
    done = subprocess.run(
        ["make", "--dry-run", "lint"], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("checker", ["vendor.github-workflows", "zizmor", "actionlint"])
@pytest.mark.parametrize("workflow", ["one.yml", "two.yaml"])
def test_every_workflow_goes_through(checker: str, workflow: str, asked: str) -> None:
    assert any(
        checker in line and f".github/workflows/{workflow}" in line for line in asked.splitlines()
    )


def test_gitlabs_goes_through(asked: str) -> None:
    assert "vendor.gitlab-ci --data-transform gitlab-ci .gitlab-ci.yml" in asked


def test_without_workflows_there_is_nothing_to_check(tmp_path: Path) -> None:
    shutil.copy(REPO / "Makefile", tmp_path)
    asked = dry_run(tmp_path)
    assert "hadolint" in asked
    assert "zizmor" not in asked
