"""multiprocessing: processes, and tasks that whichever worker is free takes."""

import multiprocessing
import random
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np


def draw(_: object = None) -> tuple[float, ...]:
    """Return a draw of each kind, after a while that nobody can foretell."""
    time.sleep(random.SystemRandom().random() / 50)
    drawn = random.random(), np.random.rand(), random.Random().random()
    return (*drawn, np.random.default_rng().random())


def put(queue: object) -> None:
    """Send a draw to the parent."""
    queue.put(draw())  # type: ignore[attr-defined]  # a queue of the context


def main(method: str) -> None:
    """Print what processes, pools and executors draw, whose processes start by a method."""
    context = multiprocessing.get_context(method)
    drawn = []
    for _ in range(2):
        queue = context.Queue()
        process = context.Process(target=put, args=(queue,))
        process.start()
        drawn.append(queue.get())
        process.join()
    with context.Pool(2) as pool:
        drawn += pool.map(draw, range(6))
        drawn += pool.starmap(draw, [(1,), (2,)])
        drawn += sorted(pool.imap_unordered(draw, range(6)))
        drawn += [result.get() for result in [pool.apply_async(draw) for _ in range(4)]]
    with ProcessPoolExecutor(2, context) as executor:
        drawn += executor.map(draw, range(6))
    for numbers in drawn:
        for number in numbers:
            print("stream", number)


if __name__ == "__main__":
    for each in ("fork", "forkserver", "spawn"):
        main(each)
