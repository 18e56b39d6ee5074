"""`make prove-cluster`: one training on several workers, several times with us and without."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from scripts.build.build import Built
from scripts.engine import cluster, containers
from scripts.engine.engine import Engine
from scripts.errors import KitError
from scripts.processes import last_words
from scripts.proof import prove
from scripts.proof.prove import METRICS, WEIGHTS, Run
from scripts.ui import say, stage

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
    if left := containers.sweep(host.client):
        say(f"removed {left} containers of a run that was killed")
    done = []
    for mode in ("deterministic", "off"):
        for number in range(1, runs + 1):
            with stage(f"cluster {number} of {runs}, {workers} workers, TF_REPRO={mode}") as notice:
                done.append(_train(host.client, built.name, mode, workers, notice))
    return prove.show(done, built).holds


def _train(
    client: DockerClient, image: str, mode: str, workers: int, notice: Callable[[str], None]
) -> Run:
    ended = cluster.run(
        client,
        image,
        ["python", INPUTS[0].name],
        workers,
        env={} if mode == "deterministic" else {"TF_REPRO": mode},
        inputs=INPUTS,
        outputs=(WEIGHTS, METRICS),
        on_line=notice,
    )
    # Who was killed has waited for one who failed by himself, and says less.
    for index, one in sorted(enumerate(ended), key=lambda pair: pair[1].exit_code == KILLED):
        if one.exit_code:
            said = last_words(one.stderr)
            raise KitError(f"{cluster.name(index)} exited with {one.exit_code}: {said}")
    done = [prove.run_of(mode, one, INPUTS[0]) for one in ended]
    apart = [
        cluster.name(index) for index, one in enumerate(done) if one.weights != done[0].weights
    ]
    if apart:
        raise KitError(f"{', '.join(apart)} and {cluster.name(0)} end with different weights")
    return done[0]
