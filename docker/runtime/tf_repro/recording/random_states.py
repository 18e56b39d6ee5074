"""Digests of the random sources of this process, as they are at the end of a step.

A pipeline's threads may draw at the same time, so that these explain a difference, and are none by
themselves. Generators that keep their state in a variable are in generators.py.
"""

import hashlib
import random
import sys
from typing import Any

from tf_repro import streams
from tf_repro.recording.format import BYTES

OP_SEEDS = "tensorflow (seeds of ops)"
UNSEEDED = "unseeded generators (how many)"


def digests() -> dict[str, str]:
    """Return a digest of each global generator that is in use, by its library's name."""
    states = {"random": _hash(repr(random.getstate()).encode())}
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        _, keys, place, *_ = numpy_random.get_state(legacy=True)
        states["numpy"] = _hash(keys.tobytes() + str(place).encode())
    # Each op that is given no seed of its own takes the next number of this one.
    # https://github.com/tensorflow/tensorflow/blob/v2.15.1/tensorflow/python/eager/context.py#L534
    op_seeds = getattr(sys.modules["tensorflow.python.eager.context"].context(), "_rng", None)
    if op_seeds is not None:
        states[OP_SEEDS] = _hash(repr(op_seeds.getstate()).encode())
    torch: Any = sys.modules.get("torch")
    if hasattr(torch, "get_rng_state"):
        states["torch"] = _hash(torch.get_rng_state().numpy().tobytes())
    counters = streams.state.process.counters
    if counters:
        states[UNSEEDED] = _hash(repr(sorted(counters.copy().items())).encode())
    return states


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=BYTES).hexdigest()
