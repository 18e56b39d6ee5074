"""Tasks and actors of a local Ray cluster of CPUS workers, which is all that it is given.

Prints, as JSON, what they drew ("tasks", each another draw), what has a seed of its own ("seeded"),
and what the script draws after all that ("script").
"""

import json
import os
import random
import sys
import time
from pathlib import Path

import numpy as np
import ray

CPUS = int(sys.argv[1])


def drawn():
    """Draw from all that there is; which worker is free first is chance."""
    time.sleep(random.SystemRandom().random() / 20)
    generator = np.random.default_rng()
    return [random.random(), np.random.rand(), generator.random(), random.Random().random()]


@ray.remote
def plain():
    return drawn()


@ray.remote
def with_arguments(_one, *, _two):
    return drawn()


@ray.remote
def nesting():
    return [drawn(), *ray.get([plain.remote() for _ in range(2)])]


@ray.remote(max_retries=2)
def dying(path):
    """Die after the first draw, and draw again."""
    first = random.random()
    if not path.exists():
        path.write_text(repr(first))
        os._exit(1)
    return float(path.read_text()) == first


@ray.remote
class Actor:
    """Draws as it is made, or seeds itself, and draws again in each call."""

    def __init__(self, seed=None):
        if seed is not None:
            random.seed(seed)
        self.first = drawn() if seed is None else None

    def draw(self):
        return [self.first, drawn()]

    def one(self):
        return random.random()


ray.init(num_cpus=CPUS, include_dashboard=False, log_to_driver=False)
get = ray.get
array = np.ones(3)
tasks = get([plain.remote() for _ in range(4)])
tasks += get(
    [with_arguments.remote(array, _two=2), with_arguments.options(name="x").remote(1, _two=2)]
)
for of_nested in get([nesting.remote() for _ in range(2)]):
    tasks += of_nested
for _ in range(2):
    actor = Actor.remote()
    (first, second), (_, third) = get([actor.draw.remote(), actor.draw.remote()])
    tasks += [first, second, third]
    del actor
actor = Actor.remote(42)
seeded = get(actor.one.remote())
del actor
again = get(dying.remote(Path("/tmp/dying")))
script = [random.random(), np.random.rand()]
ray.shutdown()
ray.init(num_cpus=CPUS, include_dashboard=False, log_to_driver=False)
tasks += get([plain.remote() for _ in range(2)])
print(json.dumps({"tasks": tasks, "seeded": seeded, "again": again, "script": script}))
