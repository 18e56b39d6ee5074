"""Which lines draw random numbers, and how often: the audit of the extra pair, or for `--stdout`.

The draws themselves are what they would be without it; only their places are taken down.
"""

import json
from pathlib import Path
from typing import NamedTuple

from tf_repro.audit.command import EXPLANATIONS, merged, read
from tf_repro.audit.notes import GLOBAL_SEED, STREAM

FILE = "audit.json"
NAMED = 4  # lines
_DRAWS = {STREAM, GLOBAL_SEED}
_AT_IMPORT = "(at import)"

Counts = dict[tuple[str, str], int]


class Draw(NamedTuple):
    """One line of the program: what it asked for, how often, and what became of it."""

    place: str
    what: str
    times: int
    outcome: str


def keep(notes: Path, work: Path, into: Path) -> None:
    """Keep the notes of a run: how often each line asked for what.

    Args:
        notes: the folder of the audit.
        work: the run's own working folder, from which lines are named.
        into: the run's folder.
    """
    rows = [
        Draw(
            f"{row['file'].removeprefix(f'{work}/')}:{row['line']}",
            row["what"],
            row["count"],
            row["outcome"],
        )
        for row in merged(read(notes))
    ]
    (into / FILE).write_text(json.dumps(rows))


def hints(one: Path, other: Path) -> list[str]:
    """Return what the notes of two runs' folders tell: who draws more often in one of them."""
    return [
        f"{place}: {what} was asked {ours} times in one run of the extra "
        f"pair and {theirs} times in the other"
        for place, what, ours, theirs in apart(one, other)[:NAMED]
    ]


def apart(one: Path, other: Path) -> list[tuple[str, str, int, int]]:
    """Return place, what, and how often in both runs, of what was not drawn equally often."""
    ours, theirs = _counts(one), _counts(other)
    return [
        (*key, ours.get(key, 0), theirs.get(key, 0))
        for key in sorted(ours.keys() | theirs.keys())
        if ours.get(key) != theirs.get(key)
    ]


def lines(folder: Path) -> list[str]:
    """Return which line of a run draws what, as `tf-repro audit` tells it."""
    return [
        f"{one.place}: {one.what}, {one.times} x: {EXPLANATIONS[one.outcome]}"
        for one in by_the_program(folder)[:NAMED]
    ]


def by_the_program(folder: Path) -> list[Draw]:
    """Return what was taken down without what libraries draw at their import: names of theirs."""
    return [one for one in kept(folder) if not one.what.endswith(_AT_IMPORT)]


def kept(folder: Path) -> list[Draw]:
    """Return what was taken down of a run; nothing where nobody asked for it."""
    path = folder / FILE
    return [Draw(*row) for row in json.loads(path.read_text())] if path.exists() else []


def _counts(folder: Path) -> Counts:
    return {(one.place, one.what): one.times for one in kept(folder) if one.outcome in _DRAWS}
