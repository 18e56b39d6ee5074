"""Runs an interpreter with the runtime in front of everything, as the image has it."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

RUNTIME = Path(__file__).resolve().parents[3] / "docker" / "runtime"

Interpreter = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def python(tmp_path: Path) -> Interpreter:
    """Return a function that runs this interpreter on a piece of code, in an environment of ours.

    It takes the arguments after `python`, `env` to add (a None takes a variable out) and `path`,
    more folders for PYTHONPATH, before or after ours.
    """

    def run(
        *argv: str,
        env: "Mapping[str, str | None] | None" = None,
        before: Sequence[Path] = (),
        after: Sequence[Path] = (),
        stdin: str = "",
    ) -> "subprocess.CompletedProcess[str]":
        folders = [*map(str, before), str(RUNTIME), *map(str, after)]
        full: dict[str, str | None] = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": os.pathsep.join(folders),
            "PYTHONHASHSEED": "042",
            "TF_REPRO_SEED": "42",
            **(env or {}),
        }
        return subprocess.run(
            [sys.executable, *argv],
            env={name: value for name, value in full.items() if value is not None},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=tmp_path,
        )

    return run
