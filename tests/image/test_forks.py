"""No forked child hangs, whatever the parent's threads are at, and no two draw the same."""

import os
import re
from pathlib import Path

import pytest

from tests.image.conftest import RunInImage

PROGRAM = Path(__file__).parent / "stress/forks.py"
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
