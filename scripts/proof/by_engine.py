"""Which engine's runs part from the first one's: a cause that no single machine can show."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from scripts.ui import say


def turn(run: int, engines: int) -> int:
    """Return on which engine a run is, counted from 0; runs are counted from 1.

    >>> [turn(run, 2) for run in (1, 2, 3)]
    [0, 1, 0]
    """
    return (run - 1) % engines


def tell(report: Path, engines: Sequence[str]) -> None:
    """Say where each run was and whether it parts, and add that to the report.

    Args:
        report: report.json, as the image has written it.
        engines: on which the runs took turns, by the user's names for them.
    """
    found = json.loads(report.read_text())
    rows = found["engines"] = list(rows_of(found, engines))
    report.write_text(json.dumps(found, indent=1) + "\n")
    for row in rows:
        runs = ", ".join(map(str, row["runs"]))
        parts = row["parts"]
        said = f"PARTS in run {', '.join(map(str, parts))}" if parts else "as the first run"
        say(f"{row['engine']}: run {runs}: {said} ({row['processor']})")


def rows_of(report: dict[str, Any], engines: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield for each engine its runs, which of them part from the first, and its processor."""
    parted = {pair["runs"][1] for pair in report["pairs"] if pair["sections"]}
    count = len(report["runs"])
    for where, engine in enumerate(engines):
        runs = [run for run in range(1, count + 1) if turn(run, len(engines)) == where]
        if runs:
            yield {
                "engine": engine,
                "processor": report["runs"][runs[0] - 1]["environment"].get("cpu", "unknown"),
                "runs": runs,
                "parts": [run for run in runs if run in parted],
            }
