"""While a run goes on, its record tells how far it is."""

import json
from pathlib import Path

from tests.unit.runtime.verify.made_up import rows
from tf_repro.verify.running.follow import Followed


def test_steps_and_epochs_are_counted_as_they_come(tmp_path: Path) -> None:
    path, followed = tmp_path / "1-1.jsonl", Followed(tmp_path)
    said = [followed.look()]
    with path.open("a") as file:
        for row in rows():
            file.write(json.dumps(row) + "\n")
            file.flush()
            said.append(followed.look())
    assert list(dict.fromkeys(said)) == [
        "epoch 1, step 0", "epoch 1, step 1", "epoch 1, step 2", "epoch 1, step 3",
        "epoch 2, step 3", "epoch 2, step 4", "epoch 2, step 5", "epoch 2, step 6",
        "epoch 3, step 6",
    ]  # fmt: skip


def test_a_line_that_is_half_written_counts_once_it_is_whole(tmp_path: Path) -> None:
    path, followed = tmp_path / "1-1.jsonl", Followed(tmp_path)
    line = json.dumps({"kind": "step", "step": 1}) + "\n"
    path.write_text(line + line[:9])
    assert followed.look() == "epoch 1, step 1"
    path.write_text(line + line)
    assert followed.look() == followed.look() == "epoch 1, step 2"


def test_what_looks_like_a_step_within_a_line_is_none(tmp_path: Path) -> None:
    point = {"kind": "point", "name": '{"kind":"step"', "of": {"kind": "step"}}
    (tmp_path / "1-1.jsonl").write_text(json.dumps(point, separators=(",", ":")) + "\n")
    assert Followed(tmp_path).look() == "epoch 1, step 0"


def test_processes_are_counted_together(tmp_path: Path) -> None:
    for name in ("1-1", "2-2"):
        (tmp_path / f"{name}.jsonl").write_text('{"kind": "step"}\n')
    assert Followed(tmp_path).look() == "epoch 1, step 2"
