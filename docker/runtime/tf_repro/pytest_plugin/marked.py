"""A test marked `reproducible`: run in fresh interpreters, compared step by step, as verify does.

Nothing of it runs in pytest's own process, fixtures included. Its runs are those of
`python -m pytest` on this one test, each in a copy of the root folder.
"""

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tf_repro.pytest_plugin import golden_file, inner
from tf_repro.verify import verdict
from tf_repro.verify.comparing import steps
from tf_repro.verify.reading import records
from tf_repro.verify.reporting import terminal
from tf_repro.verify.running import run, workspace
from tf_repro.verify.running.run import CannotRunError
from tf_repro.verify.verdict import Verdict

MARKER = "reproducible"
FEWEST = 2  # runs that can be compared
NOTHING = (
    "the runs leave nothing to compare: no training step was seen, and no tf_repro.record or "
    "reproducible.check was called"
)


@dataclass(frozen=True)
class Asked:
    """What the marker asks for; see the plugin's docstring."""

    runs: int = FEWEST
    tolerance: float = 0.0
    bisect: bool = True


def protocol(item: pytest.Item, *, updated: "set[str]") -> None:
    """Run a marked test, and report it as pytest reports any."""
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    outcome: dict[str, Any] = {}

    def body() -> None:
        outcome.update(_run(item, updated))
        if outcome.get("skipped"):
            pytest.skip(outcome["skipped"])
        if outcome["failed"]:
            pytest.fail(outcome["failed"], pytrace=False)

    for when in ("setup", "call", "teardown"):
        call = pytest.CallInfo.from_call(body if when == "call" else lambda: None, when)
        report = hook.pytest_runtest_makereport(item=item, call=call)
        if when == "call" and outcome.get("wasxfail") is not None:
            report.wasxfail, report.outcome = outcome["wasxfail"], outcome["outcome"]
        if report.skipped and outcome.get("skipped"):  # there, and not here
            line = (item.location[1] or 0) + 1
            report.longrepr = str(item.path), line, f"Skipped: {outcome['skipped']}"
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)


def asked(item: pytest.Item) -> Asked:
    """Return what a test's marker asks for.

    Raises:
        CannotRunError: an argument is of no use.
    """
    marker = item.get_closest_marker(MARKER)
    assert marker
    try:
        found = Asked(*marker.args, **marker.kwargs)
    except TypeError as error:
        words = str(error).replace("Asked.__init__()", f"@pytest.mark.{MARKER}")
        raise CannotRunError(words) from error
    runs, tolerance = found.runs, found.tolerance
    if isinstance(runs, bool) or not isinstance(runs, int) or runs < FEWEST:
        raise CannotRunError(
            f"@pytest.mark.{MARKER}: runs={runs!r} is not a number from {FEWEST} up"
        )
    if not isinstance(tolerance, int | float) or not 0 <= tolerance < float("inf"):
        raise CannotRunError(
            f"@pytest.mark.{MARKER}: tolerance={tolerance!r} is not a number from 0 up"
        )
    return found


def _run(item: pytest.Item, updated: "set[str]") -> "dict[str, Any]":
    """Return how the test ended: failed (a text, or empty), skipped, wasxfail and outcome."""
    with tempfile.TemporaryDirectory(prefix=workspace.TEMPORARY) as folder:
        try:
            wanted = asked(item)
            runs = Runs(item, Path(folder))
            for number in range(1, wanted.runs + 1):
                ended = runs.one(f"run-{number}")
                if ended is not None:
                    return _worded(ended, number)
            return {"failed": _judged(runs, wanted) or _write_golden(item, runs, updated)}
        except CannotRunError as error:
            return {"failed": str(error)}


def _worded(ended: "Mapping[str, Any]", number: int) -> "dict[str, Any]":
    failed = ended["failed"] and f"run {number}, in an interpreter of its own:\n{ended['failed']}"
    return {**ended, "failed": failed}


class Runs:
    """Runs one test in fresh interpreters, each in a folder of its own."""

    def __init__(self, item: pytest.Item, folder: Path) -> None:
        self.item, self.folder = item, folder
        self.root = item.config.rootpath
        self.recorded: list[Path] = []
        if not item.path.is_relative_to(self.root):
            raise CannotRunError(f"{item.path} is not below {self.root}: give --rootdir")

    def one(self, name: str, bisect_at: "int | None" = None) -> "dict[str, Any] | None":
        """Run the test; return how it ended if that is not simply passed.

        Raises:
            CannotRunError: the test did not run at all.
        """
        into = self.folder / name
        file = self.folder / f"{name}.reports"
        run.record(
            self._command(file), into, records=self.folder, source=self.root, bisect_at=bisect_at
        )
        reports = [row for row in inner.read(file) if row["kind"] == inner.REPORT]
        if not reports:
            said = (into / run.STDOUT).read_text(errors="replace").strip().splitlines()
            errors = [line for line in said if line.startswith("E ")] or said[-1:]
            words = errors[-1].strip() if errors else run.last_words(into)
            raise CannotRunError(f"{self.item.nodeid} did not run by itself: {words}")
        self.recorded.append(into)
        return _ending(reports)

    def _command(self, file: Path) -> "list[str]":
        config = self.item.config
        asked = json.dumps({"file": str(file), "options": _own_options(config)})
        argv = [sys.executable, "-m", "pytest", f"--tf-repro-inner={asked}", "--rootdir=."]
        argv += ["-p", "tf_repro.pytest_plugin", "-p", "no:cacheprovider", "-q"]
        # Its workers would be a second layer of processes.
        argv += ["-p", "no:xdist"] if config.pluginmanager.hasplugin("xdist") else []
        argv += [f"--override-ini={one}" for one in config.getoption("override_ini") or ()]
        argv += [f"--pythonwarnings={one}" for one in config.getoption("pythonwarnings") or ()]
        for plugin in config.getoption("plugins") or ():
            argv += ["-p", plugin] if plugin != "no:terminal" else []  # as xdist's workers have it
        argv += ["--golden-update"] if config.getoption("golden_update") else []
        # What addopts of the project says of workers, coverage and reports is for the whole.
        argv += ["--override-ini=addopts="]
        if config.inipath and config.inipath.is_relative_to(self.root):
            argv += ["-c", str(config.inipath.relative_to(self.root))]
        return [*argv, self.item.nodeid]


def _own_options(config: pytest.Config) -> "dict[str, Any]":
    """Return the options that the user's conftest.py adds, as far as JSON has their values."""
    own = getattr(getattr(config, "_parser", None), "_anonymous", None)
    names = [getattr(option, "dest", "") for option in getattr(own, "options", ())]
    values = {name: getattr(config.option, name, None) for name in names if name}
    return {name: value for name, value in values.items() if _is_plain(value)}


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float)


def _ending(reports: "Sequence[Mapping[str, Any]]") -> "dict[str, Any] | None":
    """Return how a test ended by the reports of its phases; None if it has passed."""
    for report in reports:
        if report["wasxfail"] is not None:
            return {"failed": "", "wasxfail": report["wasxfail"], "outcome": report["outcome"]}
        if report["outcome"] == "failed":
            return {"failed": report["text"]}
        if report["outcome"] == "skipped":
            return {"failed": "", "skipped": report["skipped"] or "skipped"}
    return None


def _judged(runs: Runs, wanted: Asked) -> str:
    """Return why the runs are not the same; empty if they are."""
    judged = _verdict(runs.recorded, wanted)
    if not any(one.steps or one.points or one.weights for one in judged.runs):
        return NOTHING
    if judged.identical:
        return ""
    step = judged.bisect_at if wanted.bisect else None
    if step is not None:
        pair = [f"bisect-{number}" for number in (1, 2)]
        if all(runs.one(name, step) is None for name in pair):
            first, second = (records.read(runs.folder / name) for name in pair)
            verdict.add_pair(judged, first, second)
    return _told(judged)


def _verdict(recorded: "Sequence[Path]", wanted: Asked) -> Verdict:
    found = [records.read(folder) for folder in recorded]
    return verdict.judge(found, tolerance=wanted.tolerance, with_stdout=False)


def _told(judged: Verdict) -> str:
    worst = judged.worst
    assert worst
    assert worst.pair.first
    one, other = worst.pair.numbers
    lines = [
        terminal.sentence(judged),
        f"first difference: runs {one} and {other}, {steps.describe(worst.pair.first)}",
    ]
    if worst.cause:
        lines += [f"class of cause: {worst.cause.kind}", f"because: {worst.cause.reason}"]
        lines += [f"also: {hint}" for hint in worst.cause.hints]
    lines += [f"{name}: {words}" for name, words in terminal.operation(judged)]
    return "\n".join(lines)


def _write_golden(item: pytest.Item, runs: Runs, updated: "set[str]") -> str:
    """Write what --golden-update is to write, which every run has told alike."""
    rows = inner.read(runs.folder / "run-1.reports")
    entries = [row for row in rows if row["kind"] == inner.ENTRY]
    for row in entries:
        path = golden_file.beside(item.path)
        try:
            golden_file.put(path, row["test"], row["name"], row["golden"])
        except golden_file.GoldenError as error:
            return str(error)
        updated.add(str(path))
    return ""
