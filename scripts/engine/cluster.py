"""Fresh containers on a network of their own: the workers of one distributed training."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.engine import containers
from scripts.engine.containers import LABEL, Finished
from scripts.places import data_root

if TYPE_CHECKING:
    from docker.models.networks import Network

    from docker import DockerClient

# Of the collective operations; every worker has an address of its own.
PORT = 2222
# A worker whose peer has died waits for it, for ever with some of TensorFlow's collectives.
GRACE_SECONDS = 30.0


def name(index: int) -> str:
    """Return what a worker is called, on its network and in reports."""
    return f"worker-{index}"


def config(workers: int, index: int) -> str:
    """Return the TF_CONFIG of a worker.

    https://www.tensorflow.org/guide/distributed_training#TF_CONFIG
    """
    hosts = [f"{name(number)}:{PORT}" for number in range(workers)]
    return json.dumps({"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}})


def run(
    client: DockerClient,
    image: str,
    argv: Sequence[str],
    workers: int,
    *,
    env: Mapping[str, str],
    inputs: Sequence[Path],
    outputs: Sequence[str] = (),
    folders: Sequence[Mapping[str, Path]] = (),
    on_line: Callable[[str], None] = lambda _: None,
    owner: str | None = None,
    settings: Mapping[str, object] | None = None,
) -> list[Finished]:
    """Run a program on every worker of a cluster, and remove the cluster.

    When a worker fails, the others are killed a little later if they have not ended by then.

    Args:
        client: the engine.
        image: the image's name; it is never pulled.
        argv: the program and its arguments, the same on every worker.
        workers: how many.
        env: variables on top of the image's, and of TF_CONFIG.
        inputs: files copied into /work of each.
        outputs: files to bring back from /work of each.
        settings: see `containers.run`.
        folders: those to bring back, of each worker; see `containers.run`.
        on_line: called with each line of the first worker's stdout.
        owner: value of the label of all of it; see `containers.sweep`.

    Returns:
        How the program ended, worker by worker.

    Raises:
        KitError: the image is not in the engine.
    """
    with _network(client, owner) as network, ThreadPoolExecutor(workers) as pool:

        def one(index: int) -> Finished:
            alias = client.api.create_endpoint_config(aliases=[name(index)])
            return containers.run(
                client,
                image,
                argv,
                env={**env, "TF_CONFIG": config(workers, index)},
                inputs=inputs,
                outputs=outputs,
                folders=folders[index] if folders else {},
                on_line=on_line if index == 0 else lambda _: None,
                owner=owner,
                settings={
                    **(settings or {}),
                    "network": network.name,
                    "networking_config": {network.name: alias},
                },
            )

        running = [pool.submit(one, index) for index in range(workers)]
        try:
            for ended in as_completed(running):
                if ended.exception() or ended.result().exit_code:
                    wait(running, GRACE_SECONDS)
                    break
        finally:
            # More than once, as a container may not have been started yet.
            while wait(running, timeout=1).not_done:
                _kill(client, network)
        return [ended.result() for ended in running]


@contextmanager
def _network(client: DockerClient, owner: str | None) -> Iterator[Network]:
    """Make a network that leads nowhere else, as other containers of the kit have none."""
    network = client.networks.create(
        f"tf-repro-{uuid.uuid4().hex[:12]}",
        driver="bridge",
        internal=True,
        labels={LABEL: owner or str(data_root())},
    )
    try:
        yield network
    finally:
        network.remove()


def _kill(client: DockerClient, network: Network) -> None:
    from docker.errors import APIError  # noqa: PLC0415 - half a second, and only where needed

    for container in client.containers.list(filters={"network": str(network.id)}):
        try:
            container.kill()
        except APIError:
            continue  # it has ended by itself
