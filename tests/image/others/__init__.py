"""Other people's tests in the modes deterministic and off: what fails in one of them alone."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

MODES = ("deterministic", "off")
# A test whose outcome follows the clock is run again, with the others that came out differently.
TRIES = 3

# Takes a mode, and the tests to run again or none for all; returns the report in JUnit's format.
Runs = Callable[[str, Sequence[str]], str]


@dataclass(frozen=True)
class Outcome:
    """Which tests of a run there were, and which of them failed."""

    seen: frozenset[str]
    failed: frozenset[str]


def read(report: str) -> Outcome:
    """Return the outcome that a report in JUnit's format tells."""
    seen, failed = set(), set()
    for case in ET.fromstring(report).iter("testcase"):  # noqa: S314  # of our own container
        name = ".".join(filter(None, (case.get("classname"), case.get("name"))))
        seen.add(name)
        if any(case.find(tag) is not None for tag in ("failure", "error")):
            failed.add(name)
    return Outcome(frozenset(seen), frozenset(failed))


def apart(ours: Outcome, theirs: Outcome) -> set[str]:
    """Return the tests that came out differently, and those that only one of the runs has."""
    return set((ours.failed ^ theirs.failed) | (ours.seen ^ theirs.seen))


def differences(run: Runs, rows: Iterable[dict[str, str]]) -> tuple[dict[str, Outcome], set[str]]:
    """Run everything in both modes at a time, and what differs unexpectedly again.

    Returns:
        the outcome by mode, and what differs: as the rows expect, or every time.
    """
    with ThreadPoolExecutor(len(MODES)) as pool:
        first = dict(
            zip(MODES, map(read, pool.map(lambda mode: run(mode, ()), MODES)), strict=True)
        )
        found = apart(*first.values())
        expected = {test for test in found if is_expected(test, rows)}
        differing = found - expected
        for _ in range(TRIES - 1):
            if not differing:
                break
            again = sorted(differing)
            outcomes = [read(one) for one in pool.map(lambda mode: run(mode, again), MODES)]  # noqa: B023  # it is called at once
            differing &= apart(*outcomes)
    return first, differing | expected


def is_expected(test: str, rows: Iterable[dict[str, str]]) -> bool:
    """Return whether a row stands for a test: by its whole name, or its function's."""
    without = test.partition("[")[0].rpartition(".")[2]
    return any(row["test"] in {test, without} for row in rows)
