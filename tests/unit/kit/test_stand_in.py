"""TensorFlow's other name is a distribution that pip, uv and importlib.metadata take for one."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest
import uv
from packaging.requirements import Requirement

from scripts.places import REPO

STAND_IN = REPO / "docker/steps/stand_in.py"
NAMES = ("tensorflow", "tensorflow-cpu")


def distribution(site: Path, name: str, *requires: str) -> None:
    """Put a distribution of metadata alone into a folder, as pip does."""
    stem = name.replace("-", "_")
    folder = site / f"{stem}-2.15.1.dist-info"
    folder.mkdir(parents=True)
    rows = "".join(f"Requires-Dist: {row}\n" for row in requires)
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.15.1\n{rows}"
    (folder / "METADATA").write_text(text)
    wheel = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    (folder / "WHEEL").write_text(wheel)
    (folder / "RECORD").write_text(f"{folder.name}/METADATA,,\n{folder.name}/RECORD,,\n")


def stand_in(site: Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, str(STAND_IN), str(site)]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("real", "other"), [NAMES, NAMES[::-1]])
def test_the_name_that_is_missing_is_there(real: str, other: str, tmp_path: Path) -> None:
    """In an image for CPUs the one, and in an image for GPUs the other."""
    distribution(tmp_path, real)
    assert stand_in(tmp_path).returncode == 0
    by_name = {one.name: one for one in importlib.metadata.distributions(path=[str(tmp_path)])}
    assert {name: one.version for name, one in by_name.items()} == dict.fromkeys(NAMES, "2.15.1")
    (required,) = by_name[other].requires or []
    assert Requirement(required) == Requirement(f"{real}==2.15.1")
    # What it owns is its own metadata, so that removing it removes nothing else.
    files = by_name[other].files or []
    folder = f"{other.replace('-', '_')}-2.15.1.dist-info"
    assert {Path(file).parts[0] for file in files} == {folder}
    assert {file.name for file in files} == {one.name for one in (tmp_path / folder).iterdir()}
    assert all(file.hash for file in files if file.name != "RECORD")


@pytest.mark.parametrize("real", NAMES)
@pytest.mark.parametrize("wanted", NAMES)
def test_whoever_requires_either_name_finds_it(real: str, wanted: str, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path], check=True)
    (site,) = tmp_path.glob("lib/python3*/site-packages")
    python = str(tmp_path / "bin/python")
    pip = [sys.executable, "-m", "pip", "--isolated", f"--python={python}", "check"]
    checks = (pip, [uv.find_uv_bin(), "pip", "check", f"--python={python}"])

    def found() -> list[int]:
        return [
            subprocess.run(argv, capture_output=True, check=False).returncode for argv in checks
        ]

    distribution(site, real)
    assert stand_in(site).returncode == 0
    distribution(site, "companion", f"{wanted}>=2.15,<2.16")
    assert found() == [0, 0]
    # Of another release they would say so.
    distribution(site, "another", f"{wanted}>=2.16")
    assert found() == [1, 1]


@pytest.mark.parametrize("names", [(), NAMES])
def test_no_or_two_tensorflows_stop_a_build(names: tuple[str, ...], tmp_path: Path) -> None:
    for name in names:
        distribution(tmp_path, name)
    done = stand_in(tmp_path)
    assert done.returncode == 1
    assert f"has {len(names)} distributions of TensorFlow, not one" in done.stderr
