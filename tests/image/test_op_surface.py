"""The sweep over TensorFlow's ops: what it found is closed, and it still finds it without us.

op_surface/ has the table of what was tried, a file a release: op, outcome, detail. It is made by
`python3 sweep_ops.py` in the image (a quarter of an hour; eight threads on two AMD EPYC cores).
"""

from pathlib import Path

import pytest

from tests.image.conftest import RunInImage

HERE = Path(__file__).parent
PROGRAMS = [HERE / "sweep_ops.py", HERE / "sweep_ops_worker.py"]
ATTEMPTS = 8
# What differs in silence under determinism, in the table of what was tried, and why it may.
DIFFERING = {
    "Bincount": "closed by tf_repro/sources/tensorflow.py",
    "Cholesky": "only what it leaves of a matrix that is not positive definite, which is NaN",
    "DenseBincount": "closed by tf_repro/sources/tensorflow.py",
    "FractionalAvgPool": "tf.nn's functions get a seed; the raw op without one asks the system",
    "FractionalMaxPool": "tf.nn's functions get a seed; the raw op without one asks the system",
}


def outcomes(run_in_image: RunInImage, *ops: str, **env: str) -> dict[str, str]:
    ended = run_in_image(["python3", "sweep_ops.py", *ops], env=env, inputs=PROGRAMS)
    assert ended.exit_code == 0, ended.stderr
    rows = [line.split("\t") for line in ended.stdout.splitlines()]
    return {name: outcome for name, outcome, _ in rows}


def test_weighted_counts_are_closed(run_in_image: RunInImage) -> None:
    ops = ("Bincount", "DenseBincount", "MatMul", "UnsortedSegmentSum")
    assert outcomes(run_in_image, *ops) == dict.fromkeys(ops, "equal")
    # Without us it differs when its threads meet, which they do not every time.
    control = (outcomes(run_in_image, "Bincount", TF_REPRO="off") for _ in range(ATTEMPTS))
    assert any(without_us == {"Bincount": "DIFFERS"} for without_us in control)


@pytest.mark.parametrize("table", sorted((HERE / "op_surface").glob("*.tsv")), ids=lambda t: t.stem)
def test_nothing_in_the_table_differs_unexplained(table: Path) -> None:
    rows = [line.split("\t") for line in table.read_text().splitlines()]
    assert len(rows) > 1000
    assert {name for name, outcome, _ in rows if outcome == "DIFFERS"} <= DIFFERING.keys()
    assert sum(outcome == "equal" for _, outcome, _ in rows) > 250
