"""Generators without a seed in pools of threads: they belong to the task."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

import numpy as np


def draw(_: int) -> tuple[float, float]:
    """Return a draw of each kind, after a while that nobody can foretell."""
    time.sleep(random.SystemRandom().random() / 50)
    return np.random.default_rng().random(), random.Random().random()


with ThreadPoolExecutor(3) as executor, ThreadPool(3) as pool:
    for numbers in (*executor.map(draw, range(8)), *pool.map(draw, range(8))):
        for number in numbers:
            print("stream", number)
