"""Tasks of Dask: on its own schedulers, and on WORKERS processes or threads, which is its argument.

Prints, as JSON, what they drew, each another draw: "tasks" from all that there is, and "in_threads"
from generators of their own alone. "again" tells whether a task that is computed anew draws the same.
"""

import json
import random
import sys
import time

import dask
import dask.array
import numpy as np
from dask.distributed import Client, LocalCluster

WORKERS = int(sys.argv[1])


def drawn(*_):
    """Draw from all that there is; which worker is free first is chance."""
    time.sleep(random.SystemRandom().random() / 20)
    return [random.random(), np.random.rand(), *own()]


def own(*_):
    time.sleep(random.SystemRandom().random() / 20)
    return [np.random.default_rng().random(), random.Random().random()]


def delayed(function):
    return [dask.delayed(function)(number) for number in range(3)]


def on(client, function):
    """Have tasks draw in all ways in which a client takes them."""
    drawn = client.gather([client.submit(function, number) for number in range(3)])
    drawn += client.gather([client.submit(function, pure=False) for _ in range(3)])
    drawn += client.gather(client.map(function, range(3, 6)))
    drawn += client.gather(client.map(function, range(3, 6), pure=False))
    drawn += client.gather(client.compute(delayed(function)))
    return [*drawn, *dask.array.random.random((4, 2), chunks=2).compute().tolist()]


def again(client, function):
    first = client.submit(function, "x")
    result = first.result()
    del first
    time.sleep(0.5)  # forgotten by the cluster
    return client.submit(function, "x").result() == result


if __name__ == "__main__":
    said = {"again": True}
    said["tasks"] = list(dask.compute(*delayed(drawn), scheduler="processes", num_workers=WORKERS))
    said["in_threads"] = list(dask.compute(*delayed(own), scheduler="threads"))
    off = {"dashboard_address": None}
    cluster = LocalCluster(n_workers=WORKERS, threads_per_worker=1, **off)
    with cluster, Client(cluster) as client:
        said["tasks"] += on(client, drawn)
        said["again"] &= again(client, drawn)
    cluster = LocalCluster(processes=False, n_workers=1, threads_per_worker=WORKERS, **off)
    with cluster, Client(cluster) as client:
        said["in_threads"] += on(client, own)
        said["again"] &= again(client, own)
    said["script"] = [random.random(), np.random.rand()]
    print(json.dumps(said))
