"""`make verify ENGINES=…`: runs take turns on two engines, and the one that parts is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.build.build import Built
from scripts.engine import engine
from tests.image.conftest import Kit
from tests.image.second_engine import address, second_engine

PROGRAM = Path(__file__).parent / "reach" / "steps.py"


@pytest.mark.parametrize("told", ["", "TF_ENABLE_ONEDNN_OPTS=0"])
def test_runs_on_two_engines_are_one_result_unless_one_chooses_other_kernels(
    kit: Kit, host: engine.Engine, built: Built, tmp_path: Path, told: str
) -> None:
    """As a machine did before the image fixed the choice of kernels: the control."""
    reports = tmp_path / "reports"
    with second_engine(tmp_path / "engine", told=told) as far:
        engines = f"--engines={host.host} {address(far)}"
        argv = ("verify", "--runs=2", engines, f"--into={reports}", "--", str(PROGRAM))
        status, said = kit(*argv)
        assert f"transferring {built.name} to {address(far)}" in said, said
        assert status == bool(told), said
        status, said = kit(*argv)  # it is there now
        assert "transferring" not in said, said
        assert status == bool(told), said
    near, there = json.loads((reports / "report.json").read_text())["engines"]
    assert (near["engine"], near["runs"], near["parts"]) == (host.host, [1], [])
    assert (there["runs"], there["parts"]) == ([2], [2] if told else [])
    assert f"{address(far)}: run 2: {'PARTS in run 2' if told else 'as the first run'}" in said
    assert "first difference: runs 1 and 2, epoch 1, step 1, " in said or not told
