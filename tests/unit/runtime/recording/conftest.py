"""Records programs that train with the libraries made up in fakes/."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.unit.runtime.conftest import Interpreter
from tf_repro.recording import format as record_format
from tf_repro.verify.reading import records
from tf_repro.verify.running.run import RUN

FAKES = Path(__file__).parent / "fakes"
BEGINNING = """
import os, sys
import numpy as np
import tensorflow as tf
import keras
x = np.arange(16, dtype="float32").reshape(8, 2)
y = np.ones(8, "float32")
"""


@dataclass(frozen=True)
class Recorded:
    """What a program has left: its output, the lines of its processes, and all of it as read."""

    stdout: str
    stderr: str
    processes: list[list[dict[str, Any]]]
    run: records.Run

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the lines of one kind, of all processes."""
        return [row for process in self.processes for row in process if row["kind"] == kind]


Record = Callable[..., Recorded]


@pytest.fixture
def record(python: Interpreter, tmp_path: Path) -> Record:
    """Return a function that runs a program, after the beginning above, and reads its record."""
    folders = (tmp_path / f"run-{number}" for number in range(1, 9))

    def run(program: str, *, fails: bool = False, **env: str) -> Recorded:
        folder = next(folders)
        folder.mkdir()
        (tmp_path / "train.py").write_text(BEGINNING + program)
        ended = python(
            "train.py",
            env={"TF_REPRO": "off", "TF_REPRO_RECORD": str(folder), **env},
            before=[FAKES],
        )
        assert (ended.returncode != 0) is fails, ended.stderr
        files = sorted(folder.glob("*.jsonl"))
        described = {
            "command": ["python", "train.py"],
            "exit_status": ended.returncode,
            "seconds": 1.0,
        }
        (folder / RUN).write_text(json.dumps(described))
        (folder / "stdout.txt").write_text(ended.stdout)
        (folder / "stderr.txt").write_text(ended.stderr)
        return Recorded(
            ended.stdout,
            ended.stderr,
            [list(record_format.rows(file.read_bytes())) for file in files],
            records.read(folder),
        )

    return run
