"""Which engine's runs part from the first one's: a cause that no single machine can show."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from scripts.ui import say

T = TypeVar("T")


def turn(run: int, engines: int) -> int:
    """Return on which engine a run is, counted from 0; runs are counted from 1.

    >>> [turn(run, 2) for run in (1, 2, 3)]
    [0, 1, 0]
    """
    return (run - 1) % engines


def that_parted(report: Path, engines: Sequence[T]) -> list[T]:
    """Return the engines of the two runs whose first difference is told; one, if both were there.

    Args:
        report: report.json, as the image has written it of runs that part.
        engines: on which they took turns.
    """
    if len(engines) == 1:
        return list(engines)
    pairs = json.loads(report.read_text())["pairs"]
    told: Sequence[int] = next(pair["runs"] for pair in pairs if pair["first"])
    return list(dict.fromkeys(engines[turn(run, len(engines))] for run in told))


def tell(report: Path, engines: Sequence[str], is_close: Callable[[int], bool]) -> None:
    """Say where each run was and whether it parts, and add that to the report.

    Args:
        report: report.json, as the image has written it.
        engines: on which the runs took turns, by the user's names for them.
        is_close: tells of a run with other bits whether it is within the tolerance; it is asked
            where the report does not say.
    """
    found = json.loads(report.read_text())
    rows = found["engines"] = list(rows_of(found, engines, _close(found, is_close)))
    report.write_text(json.dumps(found, indent=1) + "\n")
    for row in rows:
        words = (("PARTS", row["parts"]), ("within the tolerance", row["close"]))
        said = [f"{what} in run {_numbers(runs)}" for what, runs in words if runs]
        runs, told = _numbers(row["runs"]), "; ".join(said or ["as the first run"])
        say(f"{row['engine']}: run {runs}: {told} ({row['processor']})")


def rows_of(
    report: dict[str, Any], engines: Sequence[str], close: Collection[int]
) -> Iterator[dict[str, Any]]:
    """Yield for each engine its runs, which of them part from the first, and its processor.

    Args:
        report: as the image has written it.
        engines: on which the runs took turns.
        close: runs that do not part, though their bits are others.
    """
    others = _others(report)
    count = len(report["runs"])
    for where, engine in enumerate(engines):
        runs = [run for run in range(1, count + 1) if turn(run, len(engines)) == where]
        if runs:
            yield {
                "engine": engine,
                "processor": report["runs"][runs[0] - 1]["environment"].get("cpu", "unknown"),
                "runs": runs,
                "parts": [run for run in runs if run in others and run not in close],
                "close": [run for run in runs if run in close],
            }


def _others(report: dict[str, Any]) -> set[int]:
    """Return the runs with other bits than the first."""
    return {pair["runs"][1] for pair in report["pairs"] if pair["sections"]}


def _close(report: dict[str, Any], is_close: Callable[[int], bool]) -> set[int]:
    """Return those of them that are within the tolerance that was asked for."""
    others = _others(report)
    if report["identical"]:
        return others
    return {run for run in others if is_close(run)} if report["tolerance"] else set()


def _numbers(runs: Sequence[int]) -> str:
    return ", ".join(map(str, runs))
