"""Estimate pi by tasks on two workers of a local Dask cluster. It seeds nothing."""

import random

import dask
import numpy as np
from dask.distributed import Client, LocalCluster


def estimate(batch: int) -> tuple[int, float]:
    """Throw darts: half of them by NumPy, half by Python."""
    hits = (np.random.rand(1000, 2) ** 2).sum(1) < 1
    more = [random.random() ** 2 + random.random() ** 2 < 1 for _ in range(1000)]
    return batch, float(np.concatenate([hits, more]).mean() * 4)


if __name__ == "__main__":
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, Client(cluster) as client:
        print(client.gather(client.map(estimate, range(4))))
        print(*dask.compute(*[dask.delayed(estimate)(batch) for batch in range(4)]))
