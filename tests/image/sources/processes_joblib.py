"""joblib's two kinds of processes."""

import random
import time

import numpy as np
from joblib import Parallel, delayed


def draw() -> tuple[float, ...]:
    """Return a draw of each kind, after a while that nobody can foretell."""
    time.sleep(random.SystemRandom().random() / 50)
    drawn = random.random(), np.random.rand(), random.Random().random()
    return (*drawn, np.random.default_rng().random())


for backend in ("loky", "multiprocessing"):
    for numbers in Parallel(2, backend=backend)(delayed(draw)() for _ in range(8)):
        for number in numbers:
            print("stream", number)
