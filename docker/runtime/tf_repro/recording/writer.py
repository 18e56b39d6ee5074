"""The record on disk: JSON Lines, one file for each process, whole up to its last line.

The first line is a header with a version and the environment. Every line is written at once, so
that a run that is killed leaves a record that can be read, and memory does not grow with the steps.
"""

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from tf_repro.environment import RECORD
from tf_repro.recording import surroundings
from tf_repro.recording.format import VERSION, Kind

_lock = threading.Lock()
_file: "tuple[int, int] | None" = None  # this process' number, and its file


def folder() -> Path:
    """Return where this run's files go."""
    return Path(os.environ[RECORD])


def write(kind: str, **fields: Any) -> None:
    """Append one line to this process' record."""
    line = json.dumps({"kind": kind, **fields}, separators=(",", ":")) + "\n"
    with _lock:
        os.write(_open(), line.encode())


def _open() -> int:
    global _file  # noqa: PLW0603  # one file a process, and a forked child needs its own
    if _file is None or _file[0] != os.getpid():
        name = folder() / f"{time.time_ns()}-{os.getpid()}.jsonl"
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        header = {"kind": Kind.HEADER, "version": VERSION, **surroundings.describe()}
        os.write(file, (json.dumps(header) + "\n").encode())
        _file = os.getpid(), file
    return _file[1]
