"""The operation is found in what two runs of the extra pair have left."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.runtime.verify.made_up import Row, digests, rows, run, steps_of
from tf_repro.verify import bisect
from tf_repro.verify.comparing import steps
from tf_repro.verify.comparing.steps import Stage
from tf_repro.verify.kinds import CauseKind
from tf_repro.verify.reading import records
from tf_repro.verify.reporting import terminal
from tf_repro.verify.verdict import add_pair, judge

STEP = 4
# Four traced operations in their order: a batch comes in, is multiplied, drawn upon, summed.
OPERATIONS = [
    ("Placeholder", "batch", []),
    ("MatMul", "dense/MatMul", [[1, 0]]),
    ("RandomUniform", "dropout/random_uniform", []),
    ("Sum", "loss", [[2, 0], [3, 0]]),
]


def trace(seeds: str = "[0, 7]") -> list[Row]:
    """Return the lines that a run leaves of its operations: two steps on either side."""
    made: list[Row] = [
        {"op": number, "type": kind, "name": name, "place": f"train.py:{number}", "attrs": "",
         "seeds": seeds if kind == "RandomUniform" else "[]", "inputs": inputs}
        for number, (kind, name, inputs) in enumerate(OPERATIONS, 1)
    ]  # fmt: skip
    for step in range(2, 7):
        made += [
            {"t": number, "s": step, "b": step, "k": step, "o": [f"{step}.{number}"], "v": [None]}
            for number in range(1, len(OPERATIONS) + 1)
        ]
    return made


def change(made: list[Row], step: int, *numbers: int, **fields: object) -> list[Row]:
    for row in made:
        if row.get("s") == step and row.get("t") in numbers:
            row.update({"o": [f"other {row['t']}"], **fields})
    return made


def pair_of(
    tmp_path: Path, theirs: list[Row], step: int = STEP
) -> "tuple[records.Run, records.Run]":
    changed = rows()
    steps_of(changed)[step - 1].update(loss_bits="0")
    runs = run(tmp_path / "bisect-1"), run(tmp_path / "bisect-2", changed)
    for one, made in zip(runs, (trace(), theirs), strict=True):
        text = "".join(json.dumps(row) + "\n" for row in made)
        (one.folder / "1-1.ops").write_text(text)
    return runs


def found(tmp_path: Path, theirs: list[Row], step: int = STEP) -> bisect.Found:
    one, other = pair_of(tmp_path, theirs, step)
    return bisect.find(one, other, steps.compare(one, other, (1, 2)))


CASES = {
    # what differs in the other run -> kind, type
    "a kernel": (change(trace(), STEP, 2, 4), CauseKind.KERNEL, "MatMul"),
    "the last one": (change(trace(), STEP, 4), CauseKind.KERNEL, "Sum"),
    "a batch": (change(trace(), STEP, 1, 2, 4), CauseKind.VALUE, "Placeholder"),
    "a draw": (change(trace(), STEP, 3, 4), CauseKind.STREAM, "RandomUniform"),
    "a seed": (change(trace("[0, 8]"), STEP, 3, 4), CauseKind.STREAM, "RandomUniform"),
    "the first of two": (change(trace(), STEP, 2, 3, 4), CauseKind.KERNEL, "MatMul"),
    "another step's": (
        change(change(trace(), 6, 2), STEP, 3, 4),
        CauseKind.STREAM,
        "RandomUniform",
    ),
    "nothing that was seen": (trace(), CauseKind.NOTHING, ""),
}


@pytest.mark.parametrize("case", CASES)
def test_the_first_with_equal_inputs_and_unequal_outputs(tmp_path: Path, case: str) -> None:
    theirs, kind, op_type = CASES[case]
    answer = found(tmp_path, theirs)
    assert (answer.kind, answer.type) == (kind, op_type)
    assert answer.step == STEP


def test_it_says_which_line_and_seed(tmp_path: Path) -> None:
    said = found(tmp_path, change(trace("[0, 8]"), STEP, 3, 4)).sentence
    assert "RandomUniform (dropout/random_uniform) at train.py:3" in said
    assert "its seed is 7 in one run and 8 in the other" in said


def test_it_looks_where_the_pair_parts_by_itself(tmp_path: Path) -> None:
    assert found(tmp_path, change(trace(), 5, 2, 4), step=5).type == "MatMul"


def test_values_are_compared_where_they_were_kept(tmp_path: Path) -> None:
    kept: list[Any] = [[0, "float32", [2]]]
    theirs = change(trace(), STEP, 2, 4, v=kept)
    one, other = pair_of(tmp_path, theirs)
    text = (one.folder / "1-1.ops").read_text().splitlines()
    mine = [json.loads(line) for line in text]
    for row in mine:
        if row.get("s") == STEP and row.get("t") == 2:
            row["v"] = kept
    (one.folder / "1-1.ops").write_text("".join(json.dumps(row) + "\n" for row in mine))
    values = np.array([1, 2], np.float32)
    (one.folder / "1-1.values").write_bytes(values.tobytes())
    values[1] = np.nextafter(values[1], np.float32(3))
    (other.folder / "1-1.values").write_bytes(values.tobytes())
    answer = bisect.find(one, other, steps.compare(one, other, (1, 2)))
    assert answer.apart is not None
    assert (answer.apart.elements, answer.apart.of, answer.apart.ulps) == (1, 2, 1)


def test_a_pair_that_does_not_part_asks_for_another(tmp_path: Path) -> None:
    runs = run(tmp_path / "bisect-1"), run(tmp_path / "bisect-2")
    answer = bisect.find(*runs, steps.compare(*runs, (1, 2)))
    assert answer.kind == CauseKind.NOTHING
    assert "identical" in answer.words


def test_the_verdict_takes_the_class_from_the_operation(tmp_path: Path) -> None:
    one, other = pair_of(tmp_path, change(trace(), STEP, 3, 4))
    verdict = judge([one, other], tolerance=0, with_stdout=False)
    assert verdict.bisect_at == STEP
    add_pair(verdict, one, other)
    assert verdict.worst is not None
    assert verdict.worst.cause is not None
    assert verdict.worst.cause.kind == "a random stream"
    assert verdict.bisect_at is None
    assert "operation:        RandomUniform" in terminal.render(verdict)


def test_gradients_that_were_kept_are_measured(tmp_path: Path) -> None:
    changed = rows()
    steps_of(changed)[STEP - 1].update(gradients=digests(300 + STEP, 1))
    runs = run(tmp_path / "bisect-1"), run(tmp_path / "bisect-2", changed)
    for number, one in enumerate(runs):
        arrays: dict[str, Any] = {"0001": np.array([1, 2 + number], np.float32)}
        np.savez(one.folder / "step-optimizer-0-gradients.npz", **arrays)
    first = steps.compare(*runs, (1, 2)).first
    assert first is not None
    assert "dense/bias (1 of 2 elements" in steps.describe(bisect.measured(*runs, first))


def test_functions_of_tf_data_that_race_are_left_out(tmp_path: Path) -> None:
    """They got the same arguments in another order: the n-th call is not the n-th."""
    op = {"op": 9, "type": "Placeholder", "name": "args_0", "place": "train.py:9", "attrs": "",
          "seeds": "[]", "graph": "map", "pipeline": True, "inputs": []}  # fmt: skip

    def calls(*outputs: str) -> list[Row]:
        numbered = enumerate(outputs, 1)
        return [op, *({"t": 9, "s": 1, "b": 1, "k": k, "o": [o], "v": [None]} for k, o in numbered)]

    def answer(name: str, *outputs: str) -> str:
        folder = tmp_path / name
        folder.mkdir()
        one, other = pair_of(folder, [*change(trace(), STEP, 1, 2, 4), *calls(*outputs)])
        steps_file = one.folder / "1-1.ops"
        mine = [*trace(), *calls("a", "b")]
        steps_file.write_text("".join(json.dumps(row) + "\n" for row in mine))
        pair = steps.compare(one, other, (1, 2))
        assert pair.first is not None
        batch = replace(pair, first=replace(pair.first, stage=Stage.BATCH))
        return bisect.find(one, other, batch).name

    assert answer("raced", "b", "a") == "batch"
    assert answer("another", "a", "c") == "args_0"
