"""No forked child hangs, whatever the parent's threads are at, and no two draw the same."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docker import DockerClient
from tests.image.conftest import Install, RunInImage, derived

STRESS = Path(__file__).parent / "stress"
PROGRAM = STRESS / "forks.py"
# `make test-all` gives it minutes.
SECONDS = os.environ.get("STRESS_SECONDS", "20")
LINE = re.compile(r"(.+): (\d+) children, (\d+) hung, (\d+) repeated")


@pytest.mark.parametrize("mode", ["deterministic", "off"])
def test_no_child_hangs_beside_busy_threads(run_in_image: RunInImage, mode: str) -> None:
    ended = run_in_image(
        ["python3", PROGRAM.name, SECONDS],
        env={"TF_REPRO": mode, "TF_CPP_MIN_LOG_LEVEL": "3"},
        inputs=[PROGRAM],
    )
    assert ended.exit_code == 0, ended.stderr
    counts = {m[1]: tuple(map(int, m.groups()[1:])) for m in LINE.finditer(ended.stdout)}
    # A draw from NumPy's global generator may hang in ordinary Python.
    assert len(counts) == (4 if mode == "off" else 5), ended.stdout
    for children, hung, repeated in counts.values():
        assert children > 10
        assert (hung, repeated) == (0, 0), ended.stdout


# Who forks, or runs threads, beside the program: `make test-all` has them installed.
BESIDE = {
    "ddtrace": "ddtrace-run python3 forks.py $STRESS_SECONDS",
    "gunicorn": "gunicorn application:application",
    "gunicorn --preload": "gunicorn --preload application:application",
    "pytest-xdist": "python3 -m pytest -q -n 2 test_in_workers.py >&2; cat counted.*",
}
BESIDE_INSTALL = "pip install --no-cache-dir ddtrace gunicorn pytest pytest-xdist"
BESIDE_NAME = "org/tf-repro-beside:test"
BESIDE_LINE = re.compile(r"(?m)^(.+): (\d+) children, (\d+) hung, (\d+) repeated$")


@pytest.fixture(scope="module")
def with_others(install: Install, client: DockerClient) -> Iterator[RunInImage]:
    if "STRESS_SECONDS" not in os.environ:
        pytest.skip("`make test-all` sets STRESS_SECONDS, and gives it minutes")
    yield from derived(install, client, BESIDE_INSTALL, BESIDE_NAME)


@pytest.mark.parametrize("other", BESIDE)
def test_no_child_hangs_beside_others(with_others: RunInImage, other: str) -> None:
    ended = with_others(
        ["bash", "-uc", f"mkdir drawn; {BESIDE[other]}"],
        env={"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": "/work", "STRESS_SECONDS": SECONDS},
        inputs=sorted(STRESS.glob("*.py")),
    )
    assert ended.exit_code == 0, ended.stderr
    found = BESIDE_LINE.findall(ended.stdout)
    print(*map(" ".join, found), sep="\n")  # noqa: T201
    assert found, ended.stdout + ended.stderr
    for _, children, hung, repeated in found:
        assert int(children) > 10
        assert (hung, repeated) == ("0", "0"), ended.stdout
