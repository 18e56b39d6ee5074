"""A run leaves its passport with the tracker that the script uses, under TF_REPRO_TRACK=1."""

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
PASSPORT = "tf-repro-passport.json"
TRACKERS = ("mlflow", "wandb", "tensorboard", "dvclive")

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def with_trackers(install: Install, client: DockerClient) -> Iterator[RunInImage]:
    yield from derived(install, client, f"pip install --no-cache-dir {PACKAGES}", NAME)


@pytest.fixture(scope="module")
def train(with_trackers: RunInImage) -> Run:
    """Return a function that trains once with a tracker, and returns what that was left."""

    @functools.cache
    def train(tracker: str, **env: str) -> dict[str, Any]:
        argv = ["python", PROGRAM.name, tracker]
        ended = with_trackers(argv, env={"TF_REPRO_TRACK": "1", **env}, inputs=[PROGRAM])
        assert ended.exit_code == 0, ended.stderr
        found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
        return found

    return train


@pytest.mark.parametrize("tracker", TRACKERS)
def test_a_tracker_gets_the_passport(train: Run, tracker: str) -> None:
    last = train(tracker)["passports"][-1]
    assert last["environment"]["mode"] == "deterministic"
    assert last["environment"]["devices"] == ["/device:CPU:0"]
    assert last["results"]["metrics"].keys() == {"loss"}
    assert len(last["results"]["final_weights"]) == 64
    assert last["results"] == train("tensorboard")["passports"][-1]["results"]


def test_each_shows_what_it_can_show(train: Run) -> None:
    weights = train("mlflow")["passports"][-1]["results"]["final_weights"]
    made = {"mode": "deterministic", "seed": "42", "reach": "anywhere"}
    assert train("mlflow")["shown"] == {
        **{f"tf_repro.{name}": value for name, value in made.items()},
        "tf_repro.final_weights": weights,
    }
    assert train("wandb")["shown"] == {"tf_repro": made, "tf_repro.final_weights": weights}
    assert train("dvclive")["shown"] == {"tf-repro-digest.json": {"final_weights": weights}}
    began, _ = train("tensorboard")["passports"]
    assert began["results"] == {"metrics": {}, "final_weights": ""}


@pytest.mark.parametrize("tracker", TRACKERS)
def test_nothing_is_left_where_nobody_asks_for_it(train: Run, tracker: str) -> None:
    assert train(tracker, TF_REPRO_TRACK="0") == {"shown": {}, "passports": []}


def test_it_is_left_without_seeds_too_and_the_bits_are_others(train: Run) -> None:
    found = train("mlflow", TF_REPRO="off")
    assert found["shown"]["tf_repro.mode"] == "off"
    ours = train("mlflow")["shown"]["tf_repro.final_weights"]
    assert found["shown"]["tf_repro.final_weights"] != ours


def test_it_is_the_passport_that_verify_makes(with_trackers: RunInImage) -> None:
    """Judged against a verified run without a tracker, whose program has one word less."""
    script = (
        f"python {PROGRAM.name} dvclive >/dev/null && mv {PASSPORT} tracked.json; "
        f"tf-repro verify --runs=2 --golden=tracked.json -- python {PROGRAM.name} '' "
    )
    env = {"TF_REPRO_TRACK": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    ended = with_trackers(["sh", "-c", script], env=env, inputs=[PROGRAM])
    assert ended.exit_code == 0, ended.stdout + ended.stderr
    assert ended.stdout.endswith("tracked.json: the same bits\n")
    # Control: other bits are not.
    other = script.replace("tf-repro verify", "TF_REPRO_SEED=7 tf-repro verify")
    ended = with_trackers(["sh", "-c", other], env=env, inputs=[PROGRAM])
    assert ended.exit_code == 1, ended.stdout + ended.stderr
    assert "another seed: 42 -> 7" in ended.stdout


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
