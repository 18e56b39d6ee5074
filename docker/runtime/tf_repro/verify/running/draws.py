"""Which lines draw random numbers, and how often: the audit of the extra pair of runs.

The draws themselves are what they would be without it; only their places are taken down.
"""

import json
from pathlib import Path

from tf_repro.audit.command import merged, read
from tf_repro.audit.notes import GLOBAL_SEED, STREAM

FILE = "audit.json"
NAMED = 4  # lines
_DRAWS = {STREAM, GLOBAL_SEED}

Counts = dict[tuple[str, str], int]


def keep(notes: Path, work: Path, into: Path) -> None:
    """Keep the notes of a run: how often each line asked for what.

    Args:
        notes: the folder of the audit.
        work: the run's own working folder, from which lines are named.
        into: the run's folder.
    """
    rows = [
        [f"{row['file'].removeprefix(f'{work}/')}:{row['line']}", row["what"], row["count"]]
        for row in merged(read(notes))
        if row["outcome"] in _DRAWS
    ]
    (into / FILE).write_text(json.dumps(rows))


def hints(one: Path, other: Path) -> list[str]:
    """Return what the notes of two runs' folders tell: who draws more often in one of them."""
    ours, theirs = _read(one), _read(other)
    apart = [key for key in sorted(ours.keys() | theirs.keys()) if ours.get(key) != theirs.get(key)]
    return [
        f"{place}: {what} was asked {ours.get((place, what), 0)} times in one run of the extra "
        f"pair and {theirs.get((place, what), 0)} times in the other"
        for place, what in apart[:NAMED]
    ]


def _read(folder: Path) -> Counts:
    path = folder / FILE
    rows = json.loads(path.read_text()) if path.exists() else []
    return {(place, what): count for place, what, count in rows}
