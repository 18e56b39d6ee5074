"""Loops written by hand are recorded where they apply their gradients, and run on as they are."""

import base64
import math

import numpy as np

from tests.unit.runtime.recording.conftest import Record
from tf_repro.verify.comparing.steps import Stage
from tf_repro.verify.kinds import CauseKind
from tf_repro.verify.verdict import judge

LOOP = """
w = tf.Variable([1.0, 2.0], "w:0")
optimizer = keras.Optimizer()
for at in range(4):
    with tf.GradientTape() as tape:
        loss = tf.constant(float(at))
    optimizer.apply_gradients(zip(tape.gradient(loss, [w]), [w]))
"""


def test_a_step_has_loss_gradients_and_weights_and_no_batch(record: Record) -> None:
    steps = record(LOOP).run.steps
    assert [(step.loss, step.epoch, step.batch) for step in steps] == [
        (float(at), 0, "") for at in range(4)
    ]
    assert len({step.gradients for step in steps}) == 4
    # The first loss is 0, and so are its gradients: the weights stay.
    assert len({step.weights for step in steps}) == 4


def test_the_loss_of_a_step_is_not_that_of_the_one_before(record: Record) -> None:
    recorded = record(LOOP + "optimizer.apply_gradients([(w * 1, w)])\n")
    assert math.isnan(recorded.run.steps[-1].loss)  # nobody has asked a tape


def test_a_loop_without_an_optimiser_leaves_its_points_alone(record: Record) -> None:
    recorded = record(
        "import tf_repro\n"
        "w = tf.Variable([1.0])\n"
        "for at in range(3):\n"
        "    with tf.GradientTape() as tape:\n"
        "        loss = tf.constant(float(at))\n"
        "    w.assign(w - tape.gradient(loss, [w])[0] * 0.1)\n"
        "    tf_repro.record('w', w)\n"
    )
    assert recorded.run.steps == []
    assert [(each.name, each.n) for each in recorded.run.points] == [("w", 1), ("w", 2), ("w", 3)]
    assert len({each.digest for each in recorded.run.points}) == 3


def test_a_compiled_step_is_left_alone(record: Record) -> None:
    recorded = record(
        "w = tf.Variable([1.0])\n"
        "optimizer = keras.Optimizer()\n"
        "def step():\n"
        "    optimizer.apply_gradients([(w * 1, w)])\n"
        "tf.function(step, jit_compile=True)()\n"
        "print(w.numpy())\n"
        "tf.function(step)()\n"
    )
    assert len(recorded.run.steps) == 1
    assert recorded.stdout == "[0.9]\n"


def test_random_states_are_those_after_the_step(record: Record) -> None:
    step = "optimizer.apply_gradients([(w * 1, w)])\n"
    draw = "import random\nrandom.random()\nnp.random.rand()\n"
    recorded = record(LOOP + draw + step + step + draw + step)
    assert recorded.run.steps[-3].random == recorded.run.steps[-2].random
    before, after = recorded.run.steps[-2:]
    assert set(before.random) == {"random", "numpy"}
    assert all(before.random[name] != after.random[name] for name in before.random)


def test_weights_are_kept_as_they_are_at_the_end(record: Record) -> None:
    recorded = record(LOOP + "w.assign([7.0, 8.0])\n")
    (kept,) = recorded.run.weights
    assert (kept.model, kept.names) == ("other variables", ("w:0",))
    with np.load(recorded.run.folder / kept.file) as arrays:
        assert arrays["0000"].tolist() == [7.0, 8.0]


def test_an_equal_training_leaves_an_equal_record(record: Record) -> None:
    one, other = (record("import random\nrandom.seed(1)\n" + LOOP).of("step") for _ in range(2))
    assert one == other
    assert len(base64.b64decode(one[0]["weights"])) == 8


def test_weights_that_change_between_two_steps_are_written(record: Record) -> None:
    step = "optimizer.apply_gradients([(w * 1, w)])\n"
    recorded = record(LOOP + step + "w.assign([5.0, 6.0])\n" + step + step)
    *_, third, moved, last = recorded.run.steps
    assert [bool(row.get("before")) for row in recorded.of("step")] == [
        True, False, False, False, False, True, False,
    ]  # fmt: skip
    assert moved.before != third.weights
    assert last.before == moved.weights


def test_what_parts_two_runs_between_steps_is_not_blamed_on_a_kernel(record: Record) -> None:
    step = "optimizer.apply_gradients([(w * 1, w)])\n"
    swap = "w.assign(w * {0})\n"
    runs = [record(LOOP + swap.format(by) + step).run for by in ("1.0", "1.001")]
    worst = judge(runs, tolerance=0, with_stdout=False).worst
    assert worst is not None
    assert worst.pair.first is not None
    assert (worst.pair.first.stage, worst.pair.first.step) == (Stage.BEFORE, 5)
    assert worst.cause is not None
    assert worst.cause.kind is CauseKind.BETWEEN


def test_an_optimiser_that_is_gone_is_not_taken_for_a_new_one(record: Record) -> None:
    """A fold of a cross-validation after the other: each gets the memory of the one before."""
    recorded = record(
        "for fold in range(20):\n"
        "    w = tf.Variable([1.0], f'fold {fold}')\n"
        "    keras.Optimizer().apply_gradients([(w * 1, w)])\n"
    )
    series = [f"optimizer {fold}" for fold in range(20)]
    assert [(step.series, step.number) for step in recorded.run.steps] == [
        (name, 1) for name in series
    ]
    assert recorded.run.names == {name: [f"fold {fold}"] for fold, name in enumerate(series)}
    (kept,) = recorded.run.weights
    assert kept.names == ("fold 19",)
