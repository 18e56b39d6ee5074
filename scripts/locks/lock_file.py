"""The rows of a lock: one thing that is locked a line, beside comments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from scripts.errors import KitError


def rows_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each row of a lock with the number of its line, counted from 1.

    Raises:
        KitError: it is not there.
    """
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise KitError(f"{path}: {error.strerror}; `make lock` writes it") from error
    for number, line in enumerate(lines, 1):
        if not line.startswith("#"):
            yield number, line
