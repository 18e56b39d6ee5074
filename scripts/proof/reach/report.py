"""What people read of a comparison, a table, and what programs read, a file."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scripts.build.build import Built
from scripts.proof.reach.compare import Compared, Verdict
from scripts.proof.reach.known import Known
from scripts.proof.reach.results import Taken

VERSION = 1
# Where nobody says how wide the output is, the names of six processors fit.
WIDTH = 150
NEW = "NOT LISTED"


def show(
    taken: Sequence[Taken], verdict: Verdict, known: Mapping[str, Known], built: Built, qemu: str
) -> None:
    """Print what differs between which processors, and what that comes to.

    Args:
        taken: what was computed, by processor.
        verdict: what it comes to.
        known: what is listed, by row.
        built: the image.
        qemu: the emulator's version.
    """
    out = Console(highlight=False)
    if not out.is_terminal:
        out.width = WIDTH
    out.print(f"{built.name}  {built.config_digest}")
    for one in taken:
        by = f"{qemu}, -cpu {one.processor.model}: " if one.processor.model else ""
        out.print(f"{one.processor.name}: {by}{one.seen}")
    if verdict.differing:
        out.print(_table(taken, verdict, known))
    holds = verdict.exit_code == 0
    for line in _sentences(verdict):
        out.print(line, style="bold green" if holds else "bold red", markup=False)


def _table(taken: Sequence[Taken], verdict: Verdict, known: Mapping[str, Known]) -> Table:
    table = Table(title="What differs; a letter is a result", title_justify="left")
    for heading in ("row", "sizes", *(one.processor.name for one in taken), "reason"):
        table.add_column(heading, overflow="fold")
    for (of, marks, natively), sizes in _by_marks(verdict.differing).items():
        reason = NEW if natively or of not in known else known[of].reason
        table.add_row(of, ", ".join(sizes), *marks, reason)
    return table


def _by_marks(
    rows: Sequence[Compared],
) -> dict[tuple[str, tuple[str, ...], bool], list[str]]:
    """Return the sizes of the rows that are of the same, and came out in the same way."""
    found: dict[tuple[str, tuple[str, ...], bool], list[str]] = {}
    for one in rows:
        found.setdefault((one.row.of, one.marks, one.natively), []).append(one.row.size)
    return found


def _sentences(verdict: Verdict) -> Iterator[str]:
    """Yield what a verdict says."""
    yield (
        f"{verdict.compared} rows are the same everywhere, {len(verdict.differing)} differ; "
        f"{verdict.errors} are computed nowhere"
    )
    if verdict.unknown:
        names = dict.fromkeys(one.row.of for one in verdict.unknown)
        yield f"NOT listed in images/reach.toml: {', '.join(names)}"
    if verdict.stale:
        yield f"listed in images/reach.toml, and differ no longer: {', '.join(verdict.stale)}"
    if verdict.elsewhere:
        yield f"listed for other machines, and the same here: {', '.join(verdict.elsewhere)}"
    yield from (f"NOT all was run: {problem}" for problem in verdict.missing)


def write(
    path: Path, taken: Sequence[Taken], verdict: Verdict, built: Built, qemu: str, on: dt.date
) -> None:
    """Write all digests, and what they come to, as JSON."""
    content = {
        "version": VERSION,
        "image": built.name,
        "config": built.config_digest,
        "emulator": qemu,
        "on": str(on),
        "processors": [
            {
                "name": one.processor.name,
                "model": one.processor.model,
                "env": dict(one.processor.env),
                **one.seen.model_dump(mode="json", exclude={"rows"}),
                "problems": [part.problem for part in one.parts if part.problem],
                "outcomes": {
                    row.name: row.digest or row.error for part in one.parts for row in part.rows
                },
            }
            for one in taken
        ],
        "differing": [one.row.name for one in verdict.differing],
        "unknown": [one.row.name for one in verdict.unknown],
        "stale": list(verdict.stale),
        "elsewhere": list(verdict.elsewhere),
    }
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(json.dumps(content, indent=1) + "\n")
    partial.replace(path)
