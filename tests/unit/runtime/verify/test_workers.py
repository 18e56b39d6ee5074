"""Clusters are judged worker by worker, and the workers of each against each other."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.unit.runtime.verify.made_up import Row, digests, rows, run, steps_of
from tf_repro import __main__ as tf_repro

Change = Callable[[list[Row]], object]
NOTHING: Change = lambda _: None  # noqa: E731  # as a default of the next


def own_batches(made: list[Row]) -> None:
    """Another worker sees other examples, and has another loss."""
    for step in steps_of(made):
        step.update(batch="77", examples="88", loss=9.0, loss_bits="99")


def other_weights(made: list[Row]) -> None:
    steps_of(made)[4]["weights"] = digests(1, 9)


def other_batch(made: list[Row]) -> None:
    steps_of(made)[2]["batch"] = "66"


def recorded(folder: Path, changes: Mapping[str, Change]) -> None:
    """Record clusters; `changes` has those of a worker of a run, as "run-2/worker-1"."""
    for number in (1, 2):
        (folder / f"run-{number}").mkdir(parents=True)
        for worker in ("worker-0", "worker-1"):
            made = rows()
            if worker == "worker-1":
                own_batches(made)
            name = f"run-{number}/{worker}"
            changes.get(name, NOTHING)(made)
            run(folder / name, made)


def judged(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    status = tf_repro.main(["judge", f"--json={folder / 'report.json'}", str(folder)])
    return status, capsys.readouterr().out


def test_equal_clusters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(tmp_path, {})
    status, said = judged(tmp_path, capsys)
    assert status == 0, said
    assert "2 of 2 clusters of 2 workers identical, 12 steps compared" in said
    assert json.loads((tmp_path / "report.json").read_text())["workers"].keys() == {
        "worker-0",
        "worker-1",
    }


def test_the_worker_that_parts_first_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = {"run-2/worker-0": other_weights, "run-2/worker-1": other_batch}
    recorded(tmp_path, both)
    status, said = judged(tmp_path, capsys)
    assert status == 1
    assert "worker-1 of 2 workers parts first: 1 of 2 runs DIFFER" in said
    assert "epoch 1, step 3, batch" in said
    assert json.loads((tmp_path / "report.json").read_text())["bisect_at"] == 3


def test_workers_that_hold_other_weights_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is the same in every run, and they are not the same model."""
    recorded(tmp_path, {f"run-{number}/worker-1": other_weights for number in (1, 2)})
    status, said = judged(tmp_path, capsys)
    assert status == 1
    assert "2 clusters of 2 workers, which do NOT agree with each other" in said
    for number in (1, 2):
        line = f"cluster {number}: worker-1 holds other weights than worker-0: epoch 2, step 5"
        assert line in said


def test_a_worker_with_another_setting_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(tmp_path, {"run-1/worker-1": lambda made: made[0].update(mode="seed")})
    status, said = judged(tmp_path, capsys)
    assert status == 1
    assert "cluster 1: worker-1 has another mode than worker-0: seed and deterministic" in said


def test_a_worker_that_is_missing_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(tmp_path, {})
    (tmp_path / "run-2/worker-1/run.json").unlink()
    assert tf_repro.main(["judge", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "run-2 has no worker-1, which" in said
