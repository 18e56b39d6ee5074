"""Tests that share what is costly to make stay on one worker of pytest-xdist."""

import subprocess
import sys
from pathlib import Path

GROUPED = """
import pytest

pytestmark = pytest.mark.xdist_group("shared")


@pytest.mark.parametrize("number", range(8))
def test_it(number, worker_id):
    open(f"ran.{worker_id}", "a").close()
"""


def test_a_group_is_not_split(tmp_path: Path) -> None:
    """A pytest that xdist cannot tell of its groups runs them anywhere, and says nothing."""
    (tmp_path / "test_grouped.py").write_text(GROUPED)
    side_by_side = ("--numprocesses=2", "--dist=loadgroup", "--maxschedchunk=1")
    subprocess.run([sys.executable, "-m", "pytest", "-q", *side_by_side], cwd=tmp_path, check=True)
    assert len(list(tmp_path.glob("ran.*"))) == 1
