"""The same commit gives the same bytes, whoever builds, wherever and whenever."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.build.build import Built
from scripts.locks import image_lock
from scripts.places import REPO
from tests.image.conftest import second_data_root
from tests.image.debian import unpacked

IN_A_YEAR = "+366d"
OTHER_HOST = "another-host"


def checkout(folder: Path) -> Path:
    """Copy the tree as a clone would have it, to another path and with other modes."""
    there = folder / "some other path" / "checkout"
    ignored = shutil.ignore_patterns(".venv", ".git", ".*_cache", "__pycache__")
    shutil.copytree(REPO, there, ignore=ignored)
    for path in there.rglob("*"):
        if path.is_file():
            path.chmod(path.stat().st_mode & 0o700)
    return there


def faketime(folder: Path) -> Path:
    """Return libfaketime."""
    (library,) = unpacked("libfaketime", folder).rglob("libfaketime.so.1")
    return library


def rebuild(there: Path, env: dict[str, str], *wrapper: str) -> tuple[int, str]:
    """Run the check with an environment and a umask of its own; return its status and words."""
    done = subprocess.run(
        [*wrapper, sys.executable, "-m", "scripts", "rebuild-check"],
        cwd=there,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        umask=0o077,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.fixture
def elsewhere(tmp_path: Path) -> Callable[[], dict[str, str]]:
    """Return a function that makes the environment of another machine, user and day."""

    def environment() -> dict[str, str]:
        (tmp_path / "tmp").mkdir()
        (tmp_path / "faketime").mkdir()
        return {
            "TF_REPRO_DATA": str(second_data_root(tmp_path)),
            "TMPDIR": str(tmp_path / "tmp"),
            "TZ": "Pacific/Chatham",
            "LC_ALL": "C",
            "LANG": "tr_TR.UTF-8",
            "USER": "somebody",
            "LOGNAME": "somebody",
            "LD_PRELOAD": str(faketime(tmp_path / "faketime")),
            "FAKETIME": IN_A_YEAR,
            "PYTHONHASHSEED": "7",
        }

    return environment


def test_the_image_is_what_its_lock_names(built: Built) -> None:
    assert image_lock.read("2.15-cpu") == dict(built.digests)


def test_another_machine_rebuilds_the_same_bytes(
    built: Built, elsewhere: Callable[[], dict[str, str]], tmp_path: Path
) -> None:
    """Other host name, path, modes, umask, time zone, locale, user, cores, and a year later."""
    env = elsewhere()
    then = subprocess.check_output(["date", "+%Y"], env={**os.environ, **env})
    assert int(then) == int(subprocess.check_output(["date", "+%Y"])) + 1
    # A host name of its own, and one processor of however many there are.
    wrapper = [
        "unshare",
        "--uts",
        "sh",
        "-c",
        f'hostname {OTHER_HOST}; exec taskset -c 0 "$@"',
        "-",
    ]
    status, said = rebuild(checkout(tmp_path), env, *wrapper)
    assert status == 0, said
    assert f"rebuilt bit for bit, {built.config_digest}" in said
