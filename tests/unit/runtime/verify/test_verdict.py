"""The first difference is found wherever it is, and its cause is named."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.unit.runtime.verify.made_up import Row, digests, rows, run, steps_of
from tf_repro.verify.comparing.steps import Stage
from tf_repro.verify.kinds import CauseKind
from tf_repro.verify.reporting import terminal
from tf_repro.verify.verdict import Verdict, judge

Change = Callable[[list[Row]], object]


def verdict_of(
    tmp_path: Path,
    change: Change = lambda _: None,
    *,
    first: Change = lambda _: None,
    tolerance: float = 0.0,
    mode: str = "seed",
) -> Verdict:
    """Judge two made-up runs, each changed by its own function."""
    one, other = rows(mode), rows(mode)
    first(one)
    change(other)
    runs = [run(tmp_path / "1", one), run(tmp_path / "2", other)]
    return judge(runs, tolerance=tolerance, with_stdout=False)


def set_step(number: int, **fields: object) -> Change:
    return lambda made: steps_of(made)[number - 1].update(fields)


def swap_batches(made: list[Row]) -> None:
    one, other = steps_of(made)[3:5]
    for name in ("batch", "examples"):
        one[name], other[name] = other[name], one[name]


def swap_examples(made: list[Row]) -> None:
    """Two batches exchange examples: the sum over the epoch stays what it is."""
    one, other = steps_of(made)[3:5]
    one.update(batch="1", examples=f"{int(one['examples'], 16) + 5:016x}")
    other.update(batch="2", examples=f"{int(other['examples'], 16) - 5:016x}")


def unseeded(made: list[Row]) -> None:
    (graph,) = (row for row in made if row["kind"] == "graph")
    graph["random_ops"][0]["seeded"] = False
    set_step(2, loss_bits="0")(made)


def another_seed(made: list[Row]) -> None:
    (graph,) = (row for row in made if row["kind"] == "graph")
    graph["random_ops"][0]["seeds"] = [42, 9]
    set_step(1, loss_bits="0")(made)


def racing(**values: object) -> Change:
    def change(made: list[Row]) -> None:
        (graph,) = (row for row in made if row["kind"] == "graph")
        loop = {"type": "RandomNormal", "name": "while", "place": "train.py:8", "races": True}
        graph["random_ops"].append({**loop, "seeded": True, "seeds": []})
        set_step(2, **values)(made)

    return change


def another_generator(made: list[Row]) -> None:
    set_step(3, generators={"the Generator of train.py:3": "ff"})(made)
    set_step(3, loss_bits="0")(made)


def swapped_weights(made: list[Row]) -> None:
    """A callback swaps weights after the third step; all that comes of it differs."""
    set_step(4, before=digests(503, 9), loss_bits="0", gradients=digests(1, 1))(made)
    for step in (4, 5, 6):
        set_step(step, weights=digests(step, step))(made)


CASES: dict[str, tuple[Change, str, int, str, str]] = {
    # what -> change, stage, step, class, words of the reason
    "initial weights": (
        lambda made: made[2].update(weights=digests(1, 9)),
        Stage.INITIAL, 0, CauseKind.STREAM, "before the first step",
    ),
    "weights between two steps": (
        swapped_weights, Stage.BEFORE, 4, CauseKind.BETWEEN, "in between, such as a callback",
    ),
    "weights before the first step": (
        set_step(1, before=digests(1, 3), weights=digests(1, 1)),
        Stage.BEFORE, 1, CauseKind.BETWEEN, "in between",
    ),
    "batches swapped": (swap_batches, Stage.BATCH, 4, CauseKind.DATA, "another order"),
    "examples swapped": (swap_examples, Stage.BATCH, 4, CauseKind.DATA, "same examples"),
    "content": (
        set_step(2, batch="0", examples="7"), Stage.BATCH, 2, CauseKind.DATA, "content",
    ),
    "loss, seeded": (set_step(2, loss_bits="0"), Stage.LOSS, 2, CauseKind.KERNEL, "forward"),
    "loss, unseeded": (unseeded, Stage.LOSS, 2, CauseKind.STREAM, "RandomUniform of train.py:7"),
    "loss, another seed": (another_seed, Stage.LOSS, 1, CauseKind.STREAM, "have other seeds"),
    "loss, a race": (
        racing(loss_bits="0"), Stage.LOSS, 2, CauseKind.RACE, "train.py:8 (RandomNormal)",
    ),
    "gradients, a race that the loss does not show": (
        racing(gradients=digests(302, 1)),
        Stage.GRADIENTS, 2, CauseKind.RACE, "train.py:8 (RandomNormal)",
    ),
    "loss, another generator": (
        another_generator, Stage.LOSS, 3, CauseKind.STREAM,
        "the state of the Generator of train.py:3 (from step 3 on) is not",
    ),
    "gradients": (
        set_step(5, gradients=digests(305, 1)), Stage.GRADIENTS, 5, CauseKind.KERNEL, "backward",
    ),
    "weights": (
        set_step(6, weights=digests(1, 606)), Stage.WEIGHTS, 6, CauseKind.OPTIMISER, "update",
    ),
    "fewer steps": (
        lambda made: made.remove(steps_of(made)[-1]), Stage.COUNT, 0, CauseKind.OUTSIDE, "number",
    ),
    "metrics": (
        lambda made: made[-2]["logs"].update(loss=7.0),
        Stage.METRICS, 0, CauseKind.OUTSIDE, "every recorded step",
    ),
    "a point": (
        lambda made: made.append({"kind": "point", "name": "x", "n": 1, "digest": "a"}),
        Stage.POINTS, 0, CauseKind.OUTSIDE, "every recorded step",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_first_difference_and_its_class(tmp_path: Path, case: str) -> None:
    change, stage, step, kind, reason = CASES[case]
    verdict = verdict_of(tmp_path, change)
    assert not verdict.identical
    worst = verdict.worst
    assert worst is not None
    assert worst.pair.first is not None
    assert worst.cause is not None
    assert (worst.pair.first.stage, worst.pair.first.step) == (stage, step)
    assert worst.cause.kind == kind
    assert reason in worst.cause.reason
    assert stage in terminal.render(verdict)


def test_the_reports_say_stage_and_class_in_plain_words(tmp_path: Path) -> None:
    """Programs read the JSON, so that no name of ours may get into it."""
    verdict = verdict_of(tmp_path, set_step(5, gradients=digests(305, 1)))
    (pair,) = json.loads(json.dumps(terminal.as_json(verdict)))["pairs"]
    assert (pair["first"]["stage"], pair["cause"]["kind"]) == ("gradients", "a kernel")
    assert list(pair["sections"]) == ["gradients"]
    assert "class of cause:   a kernel" in terminal.render(verdict)


def test_equal_runs_are_identical(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path)
    assert verdict.identical
    assert terminal.sentence(verdict) == "2 of 2 runs identical, 6 steps compared bit by bit"


def test_the_tensor_is_named(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, set_step(5, gradients=digests(305, 1)))
    assert "epoch 2, step 5, gradients: dense/bias" in terminal.render(verdict)


def test_the_earliest_of_many_counts(tmp_path: Path) -> None:
    def change(made: list[Row]) -> None:
        set_step(6, batch="0")(made)
        set_step(3, weights=digests(1, 1))(made)
        set_step(3, gradients=digests(1, 1))(made)

    worst = verdict_of(tmp_path, change).worst
    assert worst is not None
    assert worst.pair.first is not None
    assert (worst.pair.first.step, worst.pair.first.stage) == (3, Stage.GRADIENTS)
    assert worst.pair.stages[2] == (True, True, True, False, False)


def test_weights_that_both_runs_change_alike_are_no_difference(tmp_path: Path) -> None:
    """As the averages of an optimiser, which take the weights' place at the end of an epoch."""
    averaged = rows()
    set_step(4, before=digests(503, 9))(averaged)
    runs = [run(tmp_path / "1", averaged), run(tmp_path / "2", averaged)]
    assert judge(runs, tolerance=0, with_stdout=False).identical


def test_a_difference_that_is_carried_on_is_of_the_step_that_made_it(tmp_path: Path) -> None:
    def change(made: list[Row]) -> None:
        for step in (3, 4, 5, 6):
            set_step(step, weights=digests(step, step))(made)
        set_step(5, before=digests(5, 5))(made)

    worst = verdict_of(tmp_path, change).worst
    assert worst is not None
    assert Stage.BEFORE not in worst.pair.sections
    assert len(worst.pair.sections[Stage.WEIGHTS]) == 4


def test_the_weights_that_were_changed_between_are_named(tmp_path: Path) -> None:
    said = terminal.render(verdict_of(tmp_path, swapped_weights))
    assert "epoch 2, step 4, weights before the step: dense/bias" in said
    assert "class of cause:   outside of the step" in said
    assert "equal up to there: 3 steps\n" in said


def test_a_step_that_was_not_recorded_may_have_changed_the_weights(tmp_path: Path) -> None:
    def change(made: list[Row]) -> None:
        swapped_weights(made)
        made.insert(1, {"kind": "unrecorded", "what": "steps of m", "reason": "jit_compile=True"})

    said = terminal.render(verdict_of(tmp_path, change))
    assert "such as a callback, or a step that was not recorded" in said


def test_hints(tmp_path: Path) -> None:
    def change(made: list[Row]) -> None:
        made.insert(1, {"kind": "own seed", "library": "numpy", "seed": "8", "place": "t.py:1"})
        made[0]["cpu"] = "B"
        set_step(2, batch="0", random={"random": "zz", "numpy": "bb"})(made)
        set_step(4, loss=float("nan"))(made)

    first = rows("off")
    first.insert(1, {"kind": "own seed", "library": "numpy", "seed": "7", "place": "t.py:1"})
    changed = rows("off")
    change(changed)
    runs = [run(tmp_path / "1", first), run(tmp_path / "2", changed)]
    worst = judge(runs, tolerance=0, with_stdout=False).worst
    assert worst is not None
    assert worst.cause is not None
    said = "\n".join(worst.cause.hints)
    assert "TF_REPRO=off" in said
    assert "t.py:1 seeds numpy with 7 in one run and 8" in said
    assert "the state of random (from step 2 on)" in said
    assert "NaN from step 4" in said
    assert "cpu: A and B" in said


def test_hashes_that_are_random_are_a_hint(tmp_path: Path) -> None:
    def random_hashes(made: list[Row]) -> None:
        made[0]["hashes"] = "PYTHONHASHSEED=random"

    def change(made: list[Row]) -> None:
        random_hashes(made)
        set_step(2, batch="0")(made)

    worst = verdict_of(tmp_path, change, first=random_hashes).worst
    assert worst is not None
    assert worst.cause is not None
    said = "sets of str come out in another order in every run: PYTHONHASHSEED=random"
    assert said in worst.cause.hints


def test_random_states_alone_are_no_difference(tmp_path: Path) -> None:
    """A pipeline's threads draw when they like; what came of it is what counts."""
    assert verdict_of(tmp_path, set_step(2, random={"random": "zz", "numpy": "bb"})).identical


def test_a_generator_that_parts_later_is_no_cause(tmp_path: Path) -> None:
    def change(made: list[Row]) -> None:
        set_step(2, loss_bits="0")(made)
        set_step(4, generators={"the Generator of train.py:3": "ff"})(made)

    worst = verdict_of(tmp_path, change).worst
    assert worst is not None
    assert worst.cause is not None
    assert worst.cause.kind == CauseKind.KERNEL
    assert not any("Generator" in hint for hint in worst.cause.hints)


def test_an_optimiser_with_a_generator_is_hinted_at(tmp_path: Path) -> None:
    def change(made: list[Row]) -> None:
        generators = {"the Generator of sgd.py:5": "ff", "the Generator of train.py:3": "cc"}
        set_step(6, weights=digests(1, 606), generators=generators)(made)

    first = set_step(6, generators={"the Generator of sgd.py:5": "cc"})
    worst = verdict_of(tmp_path, change, first=first).worst
    assert worst is not None
    assert worst.cause is not None
    assert worst.cause.kind == CauseKind.OPTIMISER
    said = "the state of the Generator of sgd.py:5 (from step 6 on) differs, too"
    assert said in worst.cause.hints


def test_exit_status(tmp_path: Path) -> None:
    runs = [run(tmp_path / "1"), run(tmp_path / "2", exit_status=3)]
    worst = judge(runs, tolerance=0, with_stdout=False).worst
    assert worst is not None
    assert worst.cause is not None
    assert "one of the runs failed" in worst.cause.reason


@pytest.mark.parametrize(("tolerance", "identical"), [(0.0, False), (1e-6, False), (1e-2, True)])
def test_tolerance(tmp_path: Path, tolerance: float, identical: bool) -> None:
    changed = rows()
    set_step(6, loss=1 / 6 + 1e-3, loss_bits="0", weights=digests(1, 1))(changed)
    one = run(tmp_path / "1", weights=np.array([1.0, 2.0], np.float32))
    other = run(tmp_path / "2", changed, weights=np.array([1.0, 2.001], np.float32))
    verdict = judge([one, other], tolerance=tolerance, with_stdout=False)
    assert verdict.identical is identical
    assert ("equal within 0.01" in terminal.render(verdict)) is identical


def test_tolerance_forgives_no_other_file(tmp_path: Path) -> None:
    one = run(tmp_path / "1", files={"a.csv": b"1"})
    other = run(tmp_path / "2", files={"a.csv": b"2"})
    assert not judge([one, other], tolerance=1e9, with_stdout=False).identical


def test_stdout_counts_where_it_is_asked_for(tmp_path: Path) -> None:
    runs = [run(tmp_path / "1", stdout="a"), run(tmp_path / "2", stdout="b")]
    assert judge(runs, tolerance=0, with_stdout=False).identical
    assert not judge(runs, tolerance=0, with_stdout=True).identical


def test_what_was_not_seen_is_said(tmp_path: Path) -> None:
    made = [row for row in rows() if row["kind"] not in {"step", "end"}]
    made.append({"kind": "unrecorded", "what": "steps of m", "reason": "jit_compile=True"})
    runs = [run(tmp_path / "1", made), run(tmp_path / "2", made)]
    said = terminal.render(judge(runs, tolerance=0, with_stdout=False))
    assert "not recorded: steps of m (jit_compile=True)" in said
    assert "no training step was seen" in said


def test_how_far_losses_and_metrics_are_apart(tmp_path: Path) -> None:
    loss = float(np.nextafter(np.float32(0.5), np.float32(1)))
    verdict = verdict_of(tmp_path, set_step(2, loss=loss, loss_bits="0"))
    assert verdict.worst is not None
    largest = verdict.worst.pair.largest
    assert largest is not None
    assert (largest.elements, largest.absolute) == (1, loss - 0.5)
    assert "losses and metrics: 1 of 8 elements" in terminal.render(verdict)


def test_no_tolerance_forgives_a_nan(tmp_path: Path) -> None:
    change = set_step(2, loss=float("nan"), loss_bits="0")
    assert not verdict_of(tmp_path, change, tolerance=1e9).identical


def test_the_seed_of_an_op_that_moves_is_named_with_its_line(tmp_path: Path) -> None:
    def with_seed(seed: int) -> list[Row]:
        made = rows()
        op = {"type": "RandomUniform", "name": "u", "seeded": True, "seeds": [42, seed]}
        ops = [{**op, "place": "train.py:9"}]
        made.insert(1, {"kind": "graph", "series": "tf.data map", "random_ops": ops})
        set_step(2, batch="0", examples=str(seed))(made)
        return made

    runs = [run(tmp_path / "1", with_seed(7)), run(tmp_path / "2", with_seed(8))]
    worst = judge(runs, tolerance=0, with_stdout=False).worst
    assert worst is not None
    assert worst.cause is not None
    (said,) = (hint for hint in worst.cause.hints if "train.py:9" in hint)
    assert "has the seed 42 7 in one run and 42 8 in the other" in said


def test_lines_that_ask_for_entropy_are_named(tmp_path: Path) -> None:
    def change(made: list[Row]) -> None:
        made.insert(1, {"kind": "entropy", "place": "train.py:5"})
        set_step(2, batch="0")(made)

    first = rows()
    change(first)
    steps_of(first)[1]["batch"] = "1"
    changed = rows()
    change(changed)
    runs = [run(tmp_path / "1", first), run(tmp_path / "2", changed)]
    worst = judge(runs, tolerance=0, with_stdout=False).worst
    assert worst is not None
    assert worst.cause is not None
    assert any("train.py:5: draws from os.urandom" in hint for hint in worst.cause.hints)


def test_a_crash_is_said_with_its_last_words(tmp_path: Path) -> None:
    made = rows()
    made.remove(steps_of(made)[-1])
    runs = [run(tmp_path / "1"), run(tmp_path / "2", made, exit_status=1)]
    (tmp_path / "2" / "stderr.txt").write_text("Traceback\nRuntimeError: full\n")
    worst = judge(runs, tolerance=0, with_stdout=False).worst
    assert worst is not None
    assert worst.cause is not None
    assert "failed after step 5 with exit status 1: RuntimeError: full" in worst.cause.reason
