"""The pytest plugin: tests that have to give the same bits in every run, and golden values.

    @pytest.mark.reproducible(runs=3)        # in fresh interpreters, compared as verify does
    def test_training(): ...

    def test_weights(reproducible):          # against a file beside the test
        reproducible.check("weights", train().get_weights())

Where pytest is installed it loads by itself, by the entry point of tf_repro.entry_points.
"""

from pathlib import Path

import pytest

from tf_repro.pytest_plugin import inner, marked
from tf_repro.pytest_plugin.check import Reproducible
from tf_repro.pytest_plugin.marked import MARKER

UPDATE = "golden_update"
# Which golden files the workers of pytest-xdist have written, on their way to the controller.
_UPDATED = "tf_repro_updated"
_updated: "set[str]" = set()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options: one for people, one for the runs of a marked test."""
    group = parser.getgroup("tf-repro", "reproducible runs")
    group.addoption(
        "--golden-update",
        action="store_true",
        dest=UPDATE,
        help="write what reproducible.check is given into the golden files",
    )
    inner.add_option(group)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, and begin the report of a run of a marked test."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(runs=2, tolerance=0, bisect=True): run the test in so many fresh interpreters "
        "and fail with the first step, stage and operation in which they differ",
    )
    inner.configure(config)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> "bool | None":
    """Run a marked test in fresh interpreters, and nothing of it here."""
    if inner.is_one(item.config) or item.get_closest_marker(MARKER) is None:
        return None
    marked.protocol(item, updated=_updated)
    return True


@pytest.fixture
def reproducible(request: pytest.FixtureRequest) -> Reproducible:
    """Give `check(name, value)`, which compares a value with the golden file beside the test."""
    config = request.config
    return Reproducible(
        node=request.node,
        update=config.getoption(UPDATE),
        entries=inner.entries_file(config),
        updated=_updated,
    )


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the controller of pytest-xdist what this worker has written."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_UPDATED] = sorted(_updated)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take what a worker has written."""
    _updated.update(getattr(node, "workeroutput", {}).get(_UPDATED, ()))


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter") -> None:
    """Name the golden files that were written."""
    for path in sorted(_updated):
        shown = Path(path)
        root = terminalreporter.config.rootpath
        if shown.is_relative_to(root):
            shown = shown.relative_to(root)
        terminalreporter.write_line(f"golden values written: {shown}")
