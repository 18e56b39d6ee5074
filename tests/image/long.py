"""Tests that `make test` leaves to `make test-all`, by long.toml, are skipped with its reasons.

TEST_LONG=only leaves out all the others instead, as `make test-all` wants them, and TEST_LONG=all
none.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

TABLE = Path(__file__).with_name("long.toml")
HERE = TABLE.parent
CHOSEN = os.environ.get("TEST_LONG", "")


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip the tests of the table, or take all others from `items`, as TEST_LONG says.

    Raises:
        pytest.UsageError: TEST_LONG is something else, or a row is of no test any more.
    """
    if CHOSEN not in {"", "all", "only"}:
        raise pytest.UsageError(f"TEST_LONG={CHOSEN} is not known: choose one of all, only")
    rows = tomllib.loads(TABLE.read_text())["left"]
    reasons = {begin: row["reason"] for row in rows for begin in row["tests"]}
    seen, kept = set(), []
    for item in items:
        name = item.nodeid.removeprefix("tests/image/")
        found = [begin for begin in reasons if name.startswith(begin)]
        seen.update(found)
        if found and not CHOSEN:
            why = f"`make test-all` sets TEST_LONG: {reasons[found[0]]}"
            item.add_marker(pytest.mark.skip(reason=why))
        if found or CHOSEN != "only":
            kept.append(item)
    items[:] = kept
    is_whole = [Path(one).resolve() for one in config.args] == [HERE]
    if is_whole and (gone := reasons.keys() - seen):
        raise pytest.UsageError(f"{TABLE}: no test begins with {', '.join(sorted(gone))}")
