"""A run of a marked test, in an interpreter of its own: what it reports, and to where.

It writes JSON Lines: the reports of the test's phases, and what --golden-update is to write.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

OPTION = "tf_repro_inner"
# What a line tells; the key of that name is in each of them.
REPORT, ENTRY = "report", "entry"


def add_option(group: "pytest.OptionGroup") -> None:
    """Add the option that only a marked test's own runs are given."""
    group.addoption("--tf-repro-inner", dest=OPTION, help=argparse.SUPPRESS)


def is_one(config: pytest.Config) -> bool:
    """Return whether this is a run of a marked test."""
    return bool(config.getoption(OPTION, None))


def entries_file(config: pytest.Config) -> "Path | None":
    """Return where golden values to be written go; None outside of a marked test's run."""
    given = config.getoption(OPTION, None)
    return Path(json.loads(given)["file"]) if given else None


def configure(config: pytest.Config) -> None:
    """Follow the reports, and take over what the user has given his own options."""
    given = config.getoption(OPTION, None)
    if not given:
        return
    asked = json.loads(given)
    for name, value in asked["options"].items():
        setattr(config.option, name, value)
    config.pluginmanager.register(_Reports(Path(asked["file"])), "tf-repro-inner")


class _Reports:
    """Writes down how the test's phases went."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        write(
            self.file,
            REPORT,
            {
                "when": report.when,
                "outcome": report.outcome,
                "text": report.longreprtext,
                "skipped": _why_skipped(report),
                "wasxfail": getattr(report, "wasxfail", None),
            },
        )


def _why_skipped(report: pytest.TestReport) -> str:
    """Return the reason, of which pytest keeps the file and line as well."""
    if report.skipped and isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return ""


def write(file: Path, kind: str, row: Mapping[str, Any]) -> None:
    """Append a line."""
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps({"kind": kind, **row}) + "\n")


def read(file: Path) -> "list[dict[str, Any]]":
    """Return the lines; none where the run has come to none."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
