"""os.fork, nested: each child draws numbers of its own."""

import os
import random

import numpy as np


def draw(path: str) -> None:
    """Print what a process draws, and fork two more below each of the first two."""
    draws = random.random(), np.random.rand(), random.Random().random()
    for number in (*draws, np.random.default_rng().random()):
        print("stream", path, number, flush=True)
    if len(path) > 2:
        return
    for child in "ab":
        if os.fork() == 0:
            draw(path + child)
            os._exit(0)
        os.wait()


draw("")
