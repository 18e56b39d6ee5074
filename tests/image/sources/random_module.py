"""Python's random: the global generator, and those that are made or seeded with nothing."""

import random


class Mine(random.Random):
    """A subclass takes its seed in the same way."""


print("stream", random.random())
print("stream", random.Random().random())
print("stream", random.Random().random())
print("stream", Mine().random())
random.seed()
print("stream", random.random())
random.seed(None)
print("stream", random.random())
print(random.sample(range(100), 5), random.gauss(0, 1))
