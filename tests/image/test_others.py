"""Other people's tests find nothing with us that they do not find without, but for what is listed.

An unexpected difference is a failure, and so is a listed one that is none any more.
"""

import os
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from docker import DockerClient
from tests.image import debian, others
from tests.image.conftest import Install, RunInImage, derived

FOLDER = Path(__file__).parent / "others"
CPYTHON = tomllib.loads((FOLDER / "cpython.toml").read_text())
LIBRARIES: dict[str, dict[str, Any]] = tomllib.loads((FOLDER / "libraries.toml").read_text())
# `make test-cpython` and `make test-libraries` set it; else a part is run, of a minute.
WHOLE = os.environ.get("TEST_OTHERS") == "all"

CPYTHON_NAME = "org/tf-repro-cpython:test"
PACKAGE = "libpython3.11-testsuite"
LIBRARIES_NAME = "org/tf-repro-others:test"
REPORT = "report.xml"


@pytest.fixture(scope="module")
def with_cpythons(
    install: Install, client: DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunInImage]:
    root = debian.unpacked(PACKAGE, tmp_path_factory.mktemp("testsuite"))
    tests = "cp -a /mnt/context/usr/lib/python3.11/. /usr/lib/python3.11/"
    yield from derived(install, client, tests, CPYTHON_NAME, root)


@pytest.fixture(scope="module")
def with_theirs(install: Install, client: DockerClient) -> Iterator[RunInImage]:
    yield from derived(install, client, "sh /mnt/context/install.sh", LIBRARIES_NAME, FOLDER)


def runs(
    image: RunInImage, argv: Callable[[Sequence[str]], Sequence[str]]
) -> Callable[[str, Sequence[str]], str]:
    def run(mode: str, again: Sequence[str]) -> str:
        env = {"TF_REPRO": mode, "TF_CPP_MIN_LOG_LEVEL": "3"}
        ended = image(argv(again), env=env, outputs=[REPORT])
        assert REPORT in ended.files, ended.stdout[-2000:] + ended.stderr[-2000:]
        return ended.files[REPORT].decode()

    return run


def compare(run: Callable[[str, Sequence[str]], str], rows: Sequence[dict[str, str]]) -> None:
    """Run the tests in both modes and hold what differs against the rows."""
    outcomes, differing = others.differences(run, rows)
    seen = outcomes["off"].seen
    for mode, outcome in outcomes.items():
        print(f"{mode}: {len(outcome.seen)} tests, {len(outcome.failed)} fail")  # noqa: T201
    for test in sorted(differing):
        print(f"differs: {test}")  # noqa: T201
    assert len(seen) > 30  # they were found, and not only a few
    unexpected = {test for test in differing if not others.is_expected(test, rows)}
    assert unexpected == set()
    stale = [
        row["test"]
        for row in rows
        if any(others.is_expected(test, [row]) for test in seen)
        and not any(others.is_expected(test, [row]) for test in differing)
    ]
    assert stale == []


def test_cpythons_own(with_cpythons: RunInImage) -> None:
    modules = CPYTHON["quick"].split() + (CPYTHON["others"].split() if WHOLE else [])
    python = ["/usr/bin/python3.11", "-m", "test", "-j1", "--timeout=300", f"--junit-xml={REPORT}"]

    def argv(again: Sequence[str]) -> Sequence[str]:
        # A test is named as in test.test_uuid.Class.test_method.
        matching = [word for test in again for word in ("--match", test)]
        again_in = {test.split(".")[1] for test in again if test.startswith("test.")}
        return [*python, *matching, *(sorted(again_in) or modules)]

    compare(runs(with_cpythons, argv), CPYTHON["expected"])


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_librarys_own(with_theirs: RunInImage, library: str) -> None:
    row = LIBRARIES[library]
    arguments = row["arguments" if WHOLE else "quick"].split()
    python = [
        *("python3", "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider"),
        *("--timeout=300", f"--junit-xml={REPORT}"),
    ]

    def argv(again: Sequence[str]) -> Sequence[str]:
        names = {test.partition("[")[0].rpartition(".")[2] for test in again}
        return [*python, *arguments, *(("-k", " or ".join(sorted(names))) if names else ())]

    compare(runs(with_theirs, argv), row["expected"])
