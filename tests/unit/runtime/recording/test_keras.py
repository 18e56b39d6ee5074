"""A training with Keras is recorded: each step once, each epoch, and nothing of it is changed."""

from tests.unit.runtime.recording.conftest import Record
from tf_repro.recording.format import Kind

FIT = """
model = keras.Model(keras.Optimizer())
model.fit(x, y, epochs=2)
print(model.weights[0].numpy().tolist())
"""


def test_each_step_is_recorded_once_and_in_its_epoch(record: Record) -> None:
    steps = record(FIT).run.steps
    assert [(step.series, step.number, step.epoch) for step in steps] == [
        ("optimizer 0", 1, 1), ("optimizer 0", 2, 1), ("optimizer 0", 3, 2), ("optimizer 0", 4, 2),
    ]  # fmt: skip


def test_a_model_that_is_fitted_twice_is_taken_hold_of_once(record: Record) -> None:
    again = (
        "held = keras.Model.train_step\nmodel.fit(x, y)\nprint(held is keras.Model.train_step)\n"
    )
    recorded = record(FIT + again)
    assert len(recorded.run.steps) == 6
    assert recorded.stdout.endswith("True\n")


def test_a_loop_after_fit_has_not_the_last_batch_of_it(record: Record) -> None:
    recorded = record(
        FIT + "model.optimizer.apply_gradients([(one * 1, one) for one in model.weights])\n"
    )
    assert [bool(step.batch) for step in recorded.run.steps] == [True] * 4 + [False]


def test_a_step_has_all_of_its_stages(record: Record) -> None:
    recorded = record(FIT)
    first, second, *_ = recorded.run.steps
    assert recorded.run.names == {"optimizer 0": ["dense/kernel:0"]}
    assert all(len(digests) == 1 for digests in (first.gradients, first.weights))
    for stage in ("batch", "examples", "loss_bits", "gradients", "weights"):
        assert getattr(first, stage) != getattr(second, stage), stage
    assert first.loss_type == "float32"
    assert first.loss == 6.0


def test_a_record_begins_with_where_and_ends_with_the_weights(record: Record) -> None:
    (lines,) = record(FIT).processes
    kinds = list(dict.fromkeys(line["kind"] for line in lines))
    assert kinds == [
        Kind.HEADER, Kind.DEVICES, Kind.VARIABLES, Kind.INITIAL, Kind.STEP, Kind.EPOCH,
        Kind.WEIGHTS, Kind.END,
    ]  # fmt: skip


def test_the_training_gives_what_it_gives_unrecorded(record: Record) -> None:
    recorded = record(FIT)
    assert recorded.stdout
    assert record(FIT, TF_REPRO_RECORD="").stdout == recorded.stdout


def test_the_order_of_examples_is_told_from_what_they_are(record: Record) -> None:
    train = "model = keras.Model(keras.Optimizer())\nmodel.fit({0}, y, batch=8)\n"
    one, other, third = (
        record(train.format(data)).run.steps[0] for data in ("x", "x[::-1]", "x + 1")
    )
    assert one.batch != other.batch
    assert one.examples == other.examples != third.examples


def test_several_models_are_kept_apart(record: Record) -> None:
    recorded = record(
        "one, other = (keras.Model(keras.Optimizer(), 2, name) for name in 'ab')\n"
        "one.fit(x[:4], y[:4])\n"
        "other.fit(x, y)\n"
        "one.fit(x[:4], y[:4])\n"
    )
    assert [(step.series, step.number) for step in recorded.run.steps] == [
        ("optimizer 0", 1), ("optimizer 1", 1), ("optimizer 1", 2), ("optimizer 0", 2),
    ]  # fmt: skip
    assert [each.model for each in recorded.run.weights] == ["model 0", "model 1"]


def test_the_optimiser_of_keras_3_is_followed(record: Record) -> None:
    recorded = record(
        "w = tf.Variable([1.0, 2.0], 'w')\n"
        "keras.BaseOptimizer([w]).apply([w * 1])\n"
        "keras.BaseOptimizer().apply(grads=[w * 1], trainable_variables=[w])\n"
    )
    assert [step.series for step in recorded.run.steps] == ["optimizer 0", "optimizer 1"]
    assert recorded.run.names == {"optimizer 0": ["w"], "optimizer 1": ["w"]}


def test_an_optimiser_within_the_update_of_another_is_no_step(record: Record) -> None:
    """As where the scaling of a loss wraps the optimiser that does the work."""
    recorded = record(
        "inner, w = keras.Optimizer(), tf.Variable([1.0])\n"
        "class Passing(tf.Variable):\n"
        "    def assign(self, value):\n"
        "        inner.apply_gradients([(w * 1, w)])\n"
        "outer = Passing([1.0])\n"
        "keras.Optimizer().apply_gradients([(outer * 1, outer)])\n"
        "inner.apply_gradients([(w * 1, w)])\n"
    )
    assert [step.series for step in recorded.run.steps] == ["optimizer 0", "optimizer 1"]


def test_what_the_optimiser_returns_and_raises_is_passed_on(record: Record) -> None:
    recorded = record(
        "w = tf.Variable([1.0])\n"
        "print(keras.Optimizer().apply_gradients([(w * 1, w)]))\n"
        "class Broken(tf.Variable):\n"
        "    def assign(self, value):\n"
        "        raise OverflowError('too much')\n"
        "w = Broken([1.0])\n"
        "try:\n"
        "    keras.Optimizer().apply_gradients(iter([(w * 1, w)]))\n"
        "except OverflowError as error:\n"
        "    print(error)\n"
        "w = tf.Variable([1.0])\n"
        "keras.Optimizer().apply_gradients([(w * 1, w)])\n"
    )
    assert recorded.stdout == "iterations\ntoo much\n"
    # The step that failed is none, and the one after it is.
    assert [step.series for step in recorded.run.steps] == ["optimizer 0", "optimizer 2"]


def test_a_gradient_that_is_none_has_its_place(record: Record) -> None:
    recorded = record(
        "a, b = tf.Variable([1.0]), tf.Variable([1.0])\n"
        "keras.Optimizer().apply_gradients([(None, a), (b * 1, b)])\n"
    )
    (step,) = recorded.run.steps
    assert step.gradients[0] == bytes(8) != step.gradients[1]


def test_what_xla_compiles_is_said_and_not_recorded(record: Record) -> None:
    recorded = record(
        "class Compiled(keras.Model):\n"
        "    jit_compile = True\n"
        "Compiled(keras.Optimizer()).fit(x, y)\n"
        "keras.Model(keras.Optimizer()).fit(x, y)\n"
    )
    assert {each.reason for each in recorded.run.unrecorded} == {"jit_compile=True"}
    assert len(recorded.run.steps) == 2  # of the other one, which comes after it


def test_logs_are_those_after_the_callbacks(record: Record) -> None:
    recorded = record(
        "class Rate(keras.Callback):\n"
        "    def on_epoch_end(self, epoch, logs):\n"
        "        logs['rate'] = 0.5\n"
        "keras.Model(keras.Optimizer()).fit(x, y, epochs=2, callbacks=[Rate()])\n"
    )
    assert [(each["epoch"], each["logs"]["rate"]) for each in recorded.run.epochs] == [
        (1, 0.5), (2, 0.5),
    ]  # fmt: skip
