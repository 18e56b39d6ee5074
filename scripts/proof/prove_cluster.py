"""`make prove-cluster`: one training on several workers, several times with us and without."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from scripts.build.build import Built
from scripts.engine import cluster
from scripts.engine.engine import Engine
from scripts.errors import KitError
from scripts.proof import prove
from scripts.proof.prove import METRICS, WEIGHTS, Run

if TYPE_CHECKING:
    from docker import DockerClient

INPUTS = (prove.EXAMPLE / "train_on_workers.py", prove.EXAMPLE / "digits.csv.gz")
# The exit status of a container that was killed.
KILLED = 128 + 9


def prove_cluster(host: Engine, built: Built, *, workers: int, runs: int) -> bool:
    """Train on `runs` clusters in mode deterministic and on as many as the control.

    Args:
        host: the engine.
        built: the image.
        workers: how many containers a cluster has.
        runs: how many clusters of each kind.

    Returns:
        Whether the first kind is identical and the control is not.

    Raises:
        KitError: the training itself fails, or the workers of a cluster hold different weights.
    """
    done = prove.both_kinds(
        host,
        runs,
        f"cluster, of {workers} workers,",
        lambda mode, notice: _train(host.client, built.name, mode, workers, notice),
    )
    return prove.show(done, built).holds


def _train(
    client: DockerClient, image: str, mode: str, workers: int, notice: Callable[[str], None]
) -> Run:
    ended = cluster.run(
        client,
        image,
        ["python", INPUTS[0].name],
        workers,
        env=prove.environment(mode),
        inputs=INPUTS,
        outputs=(WEIGHTS, METRICS),
        on_line=notice,
    )
    # Who was killed has waited for one who failed by himself, and says less.
    first = sorted(range(workers), key=lambda index: ended[index].exit_code == KILLED)
    found = {
        index: prove.run_of(mode, ended[index], f"{INPUTS[0]} on {cluster.name(index)}")
        for index in first
    }
    apart = [cluster.name(index) for index in first if found[index].weights != found[0].weights]
    if apart:
        raise KitError(f"{', '.join(apart)} and {cluster.name(0)} end with different weights")
    return found[0]
