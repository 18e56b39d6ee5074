"""The pytest plugin in a derived image: a training that is a test, and golden weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.engine.containers import Finished
from tests.image.conftest import RunInImage

TRAINING = """
import numpy as np
import pytest
import tensorflow as tf


@pytest.fixture
def data():
    return np.random.rand(32, 4).astype("float32"), np.random.rand(32, 1)


def train(data):
    model = tf.keras.Sequential([tf.keras.layers.Dense(2), tf.keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(*data, epochs=2, verbose=0)
    return model


@pytest.mark.reproducible
def test_training(data):
    train(data)


def test_weights(data, reproducible):
    reproducible.check("weights", train(data))
    reproducible.check("a tensor", tf.constant([1.5, 2.5]))


@pytest.mark.reproducible
def test_a_seed_of_chance(data):
    import secrets
    tf.random.set_seed(secrets.randbits(31))
    x = tf.data.Dataset.from_tensor_slices(data).map(
        lambda x, y: (x + tf.random.uniform([4]), y), deterministic=True
    )
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, "linear", True, "zeros")])
    model.compile("sgd", "mse")
    model.fit(x.batch(8), epochs=1, verbose=0)
"""

LOOK = "import importlib.metadata as m; print([e.value for e in m.entry_points(group='pytest11')])"

InProject = Callable[..., Finished]


@pytest.fixture
def in_project(with_libraries: RunInImage, tmp_path: Path) -> InProject:
    """Return a function that runs shell in a project that has one file of tests."""
    test = tmp_path / "test_model.py"
    test.write_text(TRAINING)

    def run(script: str, **env: str) -> Finished:
        given = {"TF_CPP_MIN_LOG_LEVEL": "3", "COLUMNS": "120", **env}
        return with_libraries(["sh", "-ec", script], env=given, inputs=[test])

    return run


def test_a_training_is_a_test(in_project: InProject) -> None:
    ran = in_project("pytest -q -k test_training --strict-markers")
    assert ran.exit_code == 0, ran.stdout
    # Control: an ordinary image.
    ran = in_project("pytest -q -k test_training --strict-markers", TF_REPRO="off")
    assert ran.exit_code == 1, ran.stdout
    lines = ran.stdout.splitlines()
    assert "1 of 2 runs DIFFER from the first" in lines
    (first,) = (line for line in lines if line.startswith("first difference: "))
    assert first.startswith("first difference: runs 1 and 2, initial weights: "), first
    assert "class of cause: a random stream" in lines


def test_a_failure_names_step_stage_and_operation(in_project: InProject) -> None:
    ran = in_project("pytest -q -k chance")
    assert ran.exit_code == 1, ran.stdout
    lines = ran.stdout.splitlines()
    assert "first difference: runs 1 and 2, epoch 1, step 1, batch" in lines
    assert "class of cause: a random stream" in lines
    (operation,) = (line for line in lines if line.startswith("operation: "))
    assert "RandomUniform" in operation
    assert "test_model.py:" in operation


def test_golden_weights_hold_in_another_container_and_under_workers(
    in_project: InProject,
) -> None:
    write = "pytest -q -n2 --golden-update -k weights"
    ran = in_project(f"{write}; pytest -q -n2 -k weights; TF_REPRO_SEED=7 pytest -q -k weights")
    assert ran.exit_code == 1, ran.stdout
    written, _, rest = ran.stdout.partition("golden values written: golden/test_model.json")
    assert "1 passed" in rest, ran.stdout
    assert "dense/kernel:0: 8 of 8 elements differ" in rest, ran.stdout
    assert "another seed: 42 -> 7" in rest, ran.stdout
    assert "a tensor" not in rest, written


def test_no_list_of_packages_shows_it_and_an_environment_of_ones_own_has_it(
    in_project: InProject,
) -> None:
    ran = in_project(
        "pip list; pip freeze; pip check; echo --; python -m venv --without-pip own; "
        f'own/bin/python -c "{LOOK}"; pytest --markers | grep reproducible; '
        "export PYTEST_DISABLE_PLUGIN_AUTOLOAD=1; "
        "pytest -p tf_repro.pytest_plugin --markers | grep -c reproducible; "
        "pytest --markers | grep -c reproducible || true"
    )
    lists, _, found = ran.stdout.partition("\n--\n")
    assert ran.exit_code == 0, ran.stdout + ran.stderr
    assert "tf-repro" not in lists.replace("_", "-")
    own, marker, *counts = found.splitlines()
    assert own == "['tf_repro.pytest_plugin']"
    assert marker.startswith("@pytest.mark.reproducible(runs=2")
    assert counts == ["1", "0"]
