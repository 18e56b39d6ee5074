"""`make verify ENGINES=…`: runs take turns on two engines, and the one that parts is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.build.build import Built
from scripts.engine import engine
from tests.image import emulated
from tests.image.conftest import Kit
from tests.image.second_engine import address, second_engine

PROGRAM = Path(__file__).parent / "reach" / "steps.py"
# Emulated, an import of TensorFlow alone takes half a minute.
QUICK = Path(__file__).parent / "verify" / "normalised.py"
# Of another maker than most machines that tests run on, and with other caches.
PROCESSOR = "EPYC"


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


@pytest.fixture(scope="module")
def emulating(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an engine on whose processor every Python is emulated."""
    folder = tmp_path_factory.mktemp("emulating") / "engine"
    with second_engine(folder, emulated=PROCESSOR) as far:
        yield address(far)


@pytest.mark.xdist_group("emulating")
@pytest.mark.parametrize(
    ("reach", "option", "parts", "words"),
    [
        ("anywhere", "--bisect", [], "as the first run"),
        ("machine", "--bisect", [3], "PARTS in run 3"),
        ("machine", "--judging=--tolerance=0.001", [], "within the tolerance in run 3"),
    ],
    ids=["anywhere", "machine", "tolerance"],
)
def test_another_processor_is_one_result_unless_each_may_do_as_it_likes(
    kit: Kit,
    host: engine.Engine,
    built: Built,  # noqa: ARG001 - the verb builds it, if need be
    emulating: str,
    tmp_path: Path,
    reach: str,
    option: str,
    parts: list[int],
    words: str,
) -> None:
    """Two runs are here, so that it is the third that parts, and its engine that is looked into."""
    reports = tmp_path / "reports"
    engines = f"--engines={host.host} {host.host} {emulating}"
    argv = ("verify", "--runs=3", option, engines, f"--into={reports}", "--", str(QUICK))
    status, said = kit(*argv, TF_REPRO_REACH=reach)
    assert status == bool(parts), said
    assert f"{emulating}: run 3: {words} ({emulated.name(PROCESSOR)})" in said
    report = json.loads((reports / "report.json").read_text())
    assert [row["parts"] for row in report["engines"]] == [[], [], parts]
    operation = report["bisected"]
    if parts:
        assert operation["type"], said
        assert operation["words"] == "its inputs are equal in both runs, and its outputs are not"
        assert f"operation:        {operation['type']} (" in said
    else:
        assert operation is None
