"""`make lint` finds an import that goes up, a circle, and a room that has no place."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from scripts.places import REPO

MOST_FLOORS = 10
PLANTED = {
    "an import upwards": (
        "scripts/oci.py",
        "from scripts.build import build",
        ("scripts.oci is not allowed to import scripts.build", "-> scripts.build.build"),
    ),
    "one for types alone": (
        "scripts/tags.py",
        "if TYPE_CHECKING:\n    from scripts.vouch import signing",
        ("scripts.tags is not allowed to import scripts.vouch",),
    ),
    "one inside of a function": (
        "scripts/ui.py",
        "def late():\n    import scripts.places",
        ("scripts.ui is not allowed to import scripts.places",),
    ),
    "a neighbour on the same floor": (
        "scripts/proof/prove.py",
        "from scripts.family import sizes",
        ("scripts.proof is not allowed to import scripts.family",),
    ),
    "a circle in a chapter": (
        "scripts/locks/apt.py",
        "from scripts.locks import debs",
        ("No chapter of the kit has a circle BROKEN", ".apt"),
    ),
    "a room without a place": (
        "scripts/cellar.py",
        "",
        ("The following modules are not listed as layers", "cellar"),
    ),
    "the runtime": (
        "scripts/places.py",
        "from tf_repro import environment",
        ("scripts is not allowed to import tf_repro",),
    ),
}


def lint_imports(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Run that part of `make lint`, with this checkout's own environment."""
    return subprocess.run(
        ["make", "--old-file=.venv/.complete", "lint-imports"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what is checked."""
    for name in ("scripts", "docker/runtime"):
        shutil.copytree(REPO / name, tmp_path / name)
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(REPO / name, tmp_path)
    (tmp_path / ".venv").symlink_to(REPO / ".venv")
    return tmp_path


def test_the_kit_imports_downwards(checkout: Path) -> None:
    done = lint_imports(checkout)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("planted", PLANTED)
def test_what_goes_up_is_found(checkout: Path, planted: str) -> None:
    path, text, found = PLANTED[planted]
    with (checkout / path).open("a") as file:
        file.write(f"\n{text}\n")
    done = lint_imports(checkout)
    assert done.returncode != 0, done.stdout
    for words in found:
        assert words in done.stdout


def test_the_house_has_not_too_many_floors() -> None:
    settings = tomllib.loads((REPO / "pyproject.toml").read_text())["tool"]["importlinter"]
    (floors,) = (one["layers"] for one in settings["contracts"] if one["id"] == "kit-floors")
    assert len(floors) <= MOST_FLOORS


def test_make_lint_asks(checkout: Path) -> None:
    asked = subprocess.run(
        ["make", "--dry-run", "--old-file=.venv/.complete", "lint"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "/lint-imports" in asked.stdout
