"""A run leaves its passport with the trackers that the script uses, under TF_REPRO_TRACK=1."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from docker import DockerClient
from tests.image.conftest import Install, RunInImage, derived

PROGRAM = Path(__file__).parent / "trackers" / "train.py"
NAME = "org/tf-repro-trackers:test"
# alembic and sqlalchemy: MLflow keeps runs in a database, and the slim one comes without.
PACKAGES = "mlflow-skinny==3.17.2 alembic==1.20.1 sqlalchemy==2.1.9 wandb==0.28.0 dvclive==3.49.1"
TRACKERS = ("mlflow", "wandb", "tensorboard", "dvclive")

# What a tracker shows beside the run, and the passports that it was left.
Found = dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]
Train = Callable[..., Found]


@pytest.fixture(scope="session")
def with_trackers(install: Install, client: DockerClient) -> Iterator[RunInImage]:
    yield from derived(install, client, f"pip install --no-cache-dir {PACKAGES}", NAME)


@pytest.fixture(scope="session")
def train(with_trackers: RunInImage) -> Train:
    """Return a function that trains once, and returns what the trackers were left."""

    @functools.cache
    def train(**env: str) -> Found:
        given = {"TF_REPRO_TRACK": "1", **env}
        ended = with_trackers(["python", PROGRAM.name], env=given, inputs=[PROGRAM])
        assert ended.exit_code == 0, ended.stderr
        found: Found = json.loads(ended.stdout.splitlines()[-1])
        return found

    return train


def test_each_tracker_gets_the_passport(train: Train) -> None:
    found = train()
    assert found.keys() == set(TRACKERS)
    lasts = [passports[-1] for _, passports in found.values()]
    for last in lasts:
        assert last["environment"]["mode"] == "deterministic"
        assert last["environment"]["devices"] == ["/device:CPU:0"]
        assert last["results"]["metrics"].keys() == {"loss"}
        assert len(last["results"]["final_weights"]) == 64
        assert last["results"] == lasts[0]["results"]


def test_each_shows_what_it_can_show(train: Train) -> None:
    found = train()
    weights = found["mlflow"][1][-1]["results"]["final_weights"]
    made = {"mode": "deterministic", "seed": "42", "reach": "anywhere"}
    assert found["mlflow"][0] == {
        **{f"tf_repro.{name}": value for name, value in made.items()},
        "tf_repro.final_weights": weights,
    }
    assert found["wandb"][0] == {"tf_repro": made, "tf_repro.final_weights": weights}
    assert found["dvclive"][0] == {"tf-repro-digest.json": {"final_weights": weights}}
    began, _ = found["tensorboard"][1]
    assert began["results"] == {"metrics": {}, "final_weights": ""}


def test_nothing_is_left_where_nobody_asks_for_it(train: Train) -> None:
    for shown, passports in train(TF_REPRO_TRACK="0").values():
        assert not shown
        assert not passports


def test_it_is_left_without_seeds_too_and_the_bits_are_others(train: Train) -> None:
    shown, ours = train(TF_REPRO="off")["mlflow"][0], train()["mlflow"][0]
    assert shown["tf_repro.mode"] == "off"
    assert shown["tf_repro.final_weights"] != ours["tf_repro.final_weights"]


# A training under one tracker, which the image has itself: the bits are verify's own, and no other.
VERIFIED = """
import sys
import numpy as np, tensorflow as tf
model = tf.keras.Sequential([tf.keras.layers.Dense(4), tf.keras.layers.Dense(1)])
model.compile("adam", "mse")
tracked = [tf.keras.callbacks.TensorBoard("logs")] if len(sys.argv) > 1 else []
model.fit(np.random.rand(64, 4), np.random.rand(64, 1), epochs=2, verbose=0, callbacks=tracked)
"""
TAKE_OUT = """
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
event = EventAccumulator("logs/train").Reload().Tensors("tf_repro/passport")[-1]
open("tracked.json", "wb").write(event.tensor_proto.string_val[0])
"""


def test_it_is_the_passport_that_verify_makes(run_in_image: RunInImage, tmp_path: Path) -> None:
    train, take_out = tmp_path / "train.py", tmp_path / "take_out.py"
    train.write_text(VERIFIED)
    take_out.write_text(TAKE_OUT)
    golden = "tf-repro verify --runs=2 --golden=tracked.json -- python train.py"
    script = f"python train.py tracked; python take_out.py; rm -r logs; {golden};"
    env = {"TF_REPRO_TRACK": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    ended = run_in_image(
        ["sh", "-c", f"{script} echo $?; TF_REPRO_SEED=7 {golden}"],
        env=env,
        inputs=[train, take_out],
    )
    same, _, other = ended.stdout.partition("tracked.json: the same bits\n0\n")
    assert other, same
    # Control: other bits are not.
    assert ended.exit_code == 1, other
    assert "another seed: 42 -> 7" in other


def test_a_tracker_that_fails_costs_one_line_and_no_training(with_trackers: RunInImage) -> None:
    program = (
        "import mlflow\n"
        "def full(*a, **k): raise OSError(28, 'No space left\\non device')\n"
        "mlflow.MlflowClient.log_dict = full\n"
        "for _ in range(2):\n"
        "    with mlflow.start_run(): pass\n"
        "print('went on')\n"
    )
    ended = with_trackers(["python", "-c", program], env={"TF_REPRO_TRACK": "1"})
    assert (ended.exit_code, ended.stdout.splitlines()[-1]) == (0, "went on"), ended.stderr
    said = [line for line in ended.stderr.splitlines() if line.startswith("tf-repro: ")]
    assert said == [
        "tf-repro: MLflow does not get the passport of this run: OSError: [Errno 28] No space "
        "left on device"
    ]
