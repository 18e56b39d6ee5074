"""The stack of examples/swarm, in a swarm of one node that the test begins and ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from docker import DockerClient
from scripts.engine.engine import Engine
from scripts.places import REPO
from tests.image.conftest import Install, RunInImage, derived
from tests.image.test_cluster import WHOLE

STACK = REPO / "examples/swarm/stack.yml"
DIGITS = REPO / "examples/digits"
NAME, STACK_NAME = "org/tf-repro-swarm:test", "tf-repro-test"
WORKERS = ("worker-0", "worker-1")
SECONDS = 180
ENDED = ("complete", "failed", "rejected", "shutdown")

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(
        not WHOLE,
        reason="it makes the engine a swarm for two minutes: TEST_CLUSTER=all does",
    ),
]


@pytest.fixture(scope="module")
def trained(
    install: Install, client: DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunInImage]:
    """A team's image, with the script in /app and a working folder that anybody may write to."""
    context = tmp_path_factory.mktemp("app")
    for name in ("train_on_workers.py", "digits.csv.gz"):
        shutil.copy(DIGITS / name, context)
    (context / "install.sh").write_text(
        "mkdir --mode=1777 /work\ncp --recursive /mnt/context /app\n"
    )
    yield from derived(install, client, "sh -eu /mnt/context/install.sh", NAME, context)


@pytest.fixture(scope="module")
def swarm(client: DockerClient) -> Iterator[DockerClient]:
    """The engine as a swarm, which it has not been before."""
    assert client.info()["Swarm"]["LocalNodeState"] == "inactive", (
        "the engine is in a swarm already"
    )
    client.swarm.init(advertise_addr="127.0.0.1")
    yield client
    client.swarm.leave(force=True)


def train(host: Engine, swarm: DockerClient, image: str, **env: str) -> list[str]:
    """Deploy the stack and remove it; return the last line of each worker's log."""
    deploy = ["stack", "deploy", "--detach", "--resolve-image=never", f"--compose-file={STACK}"]
    subprocess.run(
        [str(host.docker), *deploy, STACK_NAME],
        env={**os.environ, **host.env, "IMAGE": image, **env},
        check=True,
        capture_output=True,
    )
    try:
        services = [
            swarm.services.get(f"{STACK_NAME}_{worker}")  # type: ignore[no-untyped-call]  # so the stubs
            for worker in WORKERS
        ]
        until = time.monotonic() + SECONDS
        states: list[str] = []
        while len(states) < len(WORKERS) or not set(states) <= set(ENDED):
            assert time.monotonic() < until, states
            time.sleep(1)
            states = [task["Status"]["State"] for one in services for task in one.tasks()]
        logs = [b"".join(one.logs(stdout=True, stderr=True)).decode() for one in services]
        assert states == ["complete"] * len(WORKERS), logs
        return [log.splitlines()[-1] for log in logs]
    finally:
        argv = [str(host.docker), "stack", "rm", STACK_NAME]
        subprocess.run(argv, env={**os.environ, **host.env}, check=True, capture_output=True)
        time.sleep(2)  # the network goes a moment later than the services


def test_the_workers_of_a_stack_end_with_the_same_weights_in_every_run(
    host: Engine, swarm: DockerClient, trained: RunInImage
) -> None:
    first, second = (train(host, swarm, trained.image) for _ in range(2))
    assert len({*first, *second}) == 1, (first, second)
    assert Path(first[0].split()[1]).name == "final.weights.h5"
    control = train(host, swarm, trained.image, TF_REPRO="off")
    assert control[0] not in first
