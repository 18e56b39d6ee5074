"""golden/<test file>.json, beside the test: which values its tests have to give.

It is made to be committed and read in a review: sorted, one entry a line of a test's, and numbers
as NumPy writes them, which read back to the same bits.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tf_repro import committed

VERSION = 1
FOLDER = "golden"


class GoldenError(Exception):
    """A golden file is of no use; the message is one line for the user."""


def beside(test_file: Path) -> Path:
    """Return where the golden values of a test file are."""
    return test_file.parent / FOLDER / f"{test_file.stem}.json"


def read(path: Path) -> "dict[str, Any]":
    """Return the content of a golden file; an empty one where there is none.

    Raises:
        GoldenError: it is none, one of a newer format, or has the conflicts of a merge in it.
    """
    if not path.exists():
        return {"tf_repro_golden": VERSION, "tests": {}}
    try:
        found = json.loads(committed.text_of(path))
        version, _ = found["tf_repro_golden"], found["tests"].items()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise GoldenError(f"{path}: not a golden file ({error})") from error
    if version != VERSION:
        raise GoldenError(f"{path}: version {version}; this tf-repro reads {VERSION}")
    return dict(found)


def entry(path: Path, test: str, name: str) -> "dict[str, Any] | None":
    """Return what a test's value has to be; None if that is not known.

    Raises:
        GoldenError: see `read`.
    """
    found: dict[str, Any] | None = read(path)["tests"].get(test, {}).get(name)
    if found is not None and not (isinstance(found, dict) and {"values", "made"} <= found.keys()):
        raise GoldenError(f"{path}: not a golden file ({test}, {name}: it has no values)")
    return found


def put(path: Path, test: str, name: str, value: "Mapping[str, Any]") -> None:
    """Write one entry, whole or not at all, and leave those of others as they are.

    Raises:
        GoldenError: see `read`, and where nothing can be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path.parent):
            whole = read(path)
            whole["tests"].setdefault(test, {})[name] = dict(value)
            partial = path.with_suffix(f".{os.getpid()}.partial")
            text = json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False)
            partial.write_text(text + "\n", encoding="utf-8")
            partial.replace(path)
    except OSError as error:
        raise GoldenError(f"{path}: {error.strerror}") from error


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep the workers of pytest-xdist from each other's entries; a killed one frees it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
