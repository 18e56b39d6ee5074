"""Workers, each in a container: one result, the same in every run, and draws of their own."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from docker import DockerClient
from scripts.build.build import Built
from scripts.engine import cluster
from scripts.engine.containers import LABEL, Finished
from tests.image.conftest import OWNER, Kit, RunInImage

PROGRAM = Path(__file__).parent / "cluster/train.py"
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3"}
# `make test-all` sets it; else a part is run.
WHOLE = os.environ.get("TEST_CLUSTER") == "all"
# Keras 3 has no fit for this strategy.
WAYS = [
    ("2.15-cpu", "fit", "AUTO"),
    ("2.21-cpu", "loop", "DATA"),
]
MORE_WAYS = [
    *(("2.15-cpu", "fit", policy) for policy in ("DATA", "FILE", "OFF", "FUNCTION")),
    *(("2.15-cpu", "loop", policy) for policy in ("AUTO", "DATA", "FILE", "OFF", "FUNCTION")),
    ("2.12-cpu", "fit", "DATA"),
    *((f"{release}-cpu", "loop", "DATA") for release in ("2.12", "2.18")),
    *(("2.21-cpu", "loop", policy) for policy in ("AUTO", "FILE", "OFF", "FUNCTION")),
]
Train = Callable[..., list[Finished]]


@pytest.fixture
def train(client: DockerClient, run_in_release: Callable[[str], RunInImage]) -> Train:
    """Return a function that trains on a cluster, and returns how its workers ended."""

    def train(
        image: str,
        how: str,
        policy: str,
        workers: int = 2,
        before: Sequence[str] = (),
        **env: str,
    ) -> list[Finished]:
        return cluster.run(
            client,
            run_in_release(image).image,
            [*before, "python", PROGRAM.name, how, policy],
            workers,
            env={**QUIET, **env},
            inputs=[PROGRAM],
            owner=OWNER,
        )

    return train


def told(ended: list[Finished]) -> list[dict[str, Any]]:
    """Return what the workers of a cluster said."""
    for one in ended:
        assert one.exit_code == 0, one.stderr
    return [json.loads(one.stdout.splitlines()[-1]) for one in ended]


@pytest.mark.parametrize(("image", "how", "policy"), WAYS + (MORE_WAYS if WHOLE else []))
def test_every_run_is_the_same_and_every_worker_draws_for_itself(
    train: Train, image: str, how: str, policy: str
) -> None:
    """The second run has a slow worker; the control is switched off."""
    runs = [told(train(image, how, policy)), told(train(image, how, policy, SLOW="1"))]
    assert runs[0] == runs[1]
    one, other = runs[0]
    assert one["initial"] == other["initial"]
    assert one["final"] == other["final"] != one["initial"]
    for source, drawn in one["own"].items():
        assert drawn != other["own"][source], source
    control = told(train(image, how, policy, TF_REPRO="off"))
    assert control[0]["final"] not in {one["final"], control[0]["initial"]}


@pytest.mark.skipif(not WHOLE, reason="half a minute more: TEST_CLUSTER=all runs it")
def test_four_workers_are_another_result_and_the_same_in_every_run(train: Train) -> None:
    runs = [told(train("2.15-cpu", "fit", "AUTO", 4, SLOW=slow)) for slow in ("", "2")]
    assert runs[0] == runs[1]
    assert len({worker["final"] for worker in runs[0]}) == 1
    assert len({worker["own"]["numpy"] for worker in runs[0]}) == 4


def test_a_worker_that_dies_leaves_nothing_that_waits(
    train: Train, client: DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "GRACE_SECONDS", 3.0)
    started = time.monotonic()
    first, second = train("2.15-cpu", "loop", "DATA", DIES="1")
    assert time.monotonic() - started < 60
    assert second.exit_code == 1
    assert second.stderr.splitlines()[-1] == "worker: no data for me"
    assert first.exit_code != 0
    ours = {"label": f"{LABEL}={OWNER}"}
    assert client.networks.list(filters=ours) == []


def test_a_config_that_names_no_task_is_one_line(run_in_image: RunInImage) -> None:
    done = run_in_image(["python", "-c", "print('ran')"], env={"TF_CONFIG": '{"cluster": '})
    assert (done.exit_code, done.stdout) == (78, "")
    assert done.stderr.startswith("tf-repro: TF_CONFIG names no task of a cluster: it is no JSON")
    assert done.stderr.count("\n") == 1
    off = {"TF_CONFIG": '{"cluster": ', "TF_REPRO": "off"}
    assert run_in_image(["python", "-c", "print('ran')"], env=off).stdout == "ran\n"


@pytest.mark.skipif(not WHOLE, reason="fourteen seconds more: TEST_CLUSTER=all runs it")
@pytest.mark.parametrize("mode", ["deterministic", "off"])
def test_a_job_of_a_cluster_verifies_itself(train: Train, mode: str) -> None:
    """Each worker runs the script twice, and for each run the cluster finds together again."""
    verify = ("tf-repro", "verify", "--runs=2", "--")
    ended = train("2.15-cpu", "fit", "AUTO", before=verify, TF_REPRO=mode)
    for worker in ended:
        said = "2 of 2 runs identical, 8 steps" if mode != "off" else "1 of 2 runs DIFFER"
        assert said in worker.stdout, worker.stdout + worker.stderr
        assert worker.exit_code == (mode == "off")


def test_a_training_on_two_workers_is_proved(kit: Kit, built: Built) -> None:
    status, said = kit("prove-cluster")
    assert status == 0, said
    assert "tf-repro: 3 of 3 identical. Control (TF_REPRO=off): 3 different of 3." in said
    assert built.config_digest in said


def test_clusters_are_verified_worker_by_worker(kit: Kit, tmp_path: Path) -> None:
    """One that parts on one worker alone, by what the system draws there."""
    program = tmp_path / "train.py"
    text = PROGRAM.read_text()
    chance = "if INDEX == 1:\n    np.random.seed(int.from_bytes(os.urandom(4), 'little'))\n"
    drawn = text.replace("0.1 * tf.random.normal([12])", "0.1 * np.random.rand()")
    assert drawn != text
    program.write_text(drawn.replace("\nstrategy = ", f"\n{chance}strategy = "))
    options = ("--runs=2", "--workers=2", f"--into={tmp_path / 'reports'}")
    status, said = kit("verify", *options, "--arguments=loop DATA", "--", str(program))
    assert status == 1, said
    report = json.loads((tmp_path / "reports/report.json").read_text())
    assert report["first"] == "worker-1"
    assert report["workers"]["worker-1"]["pairs"][0]["first"]["step"] == 1
    assert report["apart"] == []

    status, said = kit("verify", *options, "--arguments=loop DATA", "--", str(PROGRAM))
    assert status == 0, said
    assert "2 of 2 clusters of 2 workers identical, 8 steps compared" in said
