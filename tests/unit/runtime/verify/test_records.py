"""A record is read as far as it goes."""

import json
from pathlib import Path

import pytest

from tests.unit.runtime.verify.made_up import STEPS, rows, run, steps_of
from tf_repro.verify.reading import records
from tf_repro.verify.running.run import CannotRunError


def test_a_whole_record(tmp_path: Path) -> None:
    read = run(tmp_path / "1")
    assert read.whole
    assert [step.number for step in read.steps] == list(range(1, STEPS + 1))
    assert [step.epoch for step in read.steps] == [1, 1, 1, 2, 2, 2]


def test_a_killed_run_leaves_a_readable_record(tmp_path: Path) -> None:
    run(tmp_path / "1")
    path = tmp_path / "1" / "1-1.jsonl"
    text = path.read_bytes()
    path.write_bytes(text[: text.rindex(b'{"kind": "step"') + 20])
    read = records.read(tmp_path / "1")
    assert len(read.steps) == STEPS - 1
    assert not read.whole


def test_another_version_is_refused(tmp_path: Path) -> None:
    made = rows()
    made[0]["version"] = 99
    with pytest.raises(CannotRunError, match="version 99 of the record"):
        run(tmp_path / "1", made)


@pytest.mark.parametrize("text", ["", "{}", "[]", "nonsense"])
def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(CannotRunError, match="not a recorded run"):
        records.read(tmp_path)


def test_processes_of_one_run_are_kept_apart(tmp_path: Path) -> None:
    run(tmp_path / "1")
    second = "".join(json.dumps(row) + "\n" for row in rows())
    (tmp_path / "1" / "2-2.jsonl").write_text(second)
    read = records.read(tmp_path / "1")
    assert len(read.steps) == 2 * STEPS
    assert {step.series for step in read.steps} == {"optimizer 0", "optimizer 0 of process 2"}


def test_replicas_are_in_one_order(tmp_path: Path) -> None:
    """They take a step together, and which of them writes it first is a race."""
    made = rows()
    for step in steps_of(made):
        place = made.index(step)
        other = {**step, "replica": 1, "loss_bits": "f"}
        made.insert(place + step["step"] % 2, other)
    read = run(tmp_path / "1", made)
    assert [step.replica for step in read.steps] == [0, 1] * STEPS
