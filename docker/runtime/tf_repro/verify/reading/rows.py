"""The lines of a record that are kept as they are, typed; the recorder writes them.

Slotted classes for what is compared here, and dictionaries for what the reports pass on as JSON.
"""

from dataclasses import dataclass
from typing import Any, TypedDict


class Header(TypedDict, total=False):
    """Where a process ran, as the reports show it; of another machine's GPU, or none, and so on."""

    version: int
    image: str
    locks: dict[str, str]
    mode: str
    seed: int
    hashes: str
    argv: list[str]
    python: str
    packages: dict[str, str]
    kernel: str
    cpu: str
    cpu_flags: list[str]
    cpus: int
    gpus: list[str]
    environment: dict[str, str]
    devices: list[str]
    threads: dict[str, Any]


class Epoch(TypedDict):
    """The logs of one epoch of `fit`, from 1."""

    epoch: int
    logs: dict[str, float]


@dataclass(frozen=True, slots=True)
class RandomOp:
    """A random op of a graph.

    Attributes:
        series: of which optimiser's step, or of which function of tf.data.
        place: the user's line that made it; empty if none did.
        seeded: whether one of its two seeds is not 0.
        races: whether it is in a loop that runs several iterations at once.
    """

    series: str
    type: str
    name: str
    place: str
    seeded: bool
    seeds: tuple[int, ...]
    races: bool = False


@dataclass(frozen=True, slots=True)
class OwnSeed:
    """A line of the user's that has seeded a library itself."""

    library: str
    seed: str
    place: str


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """What could not be seen, and why."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Point:
    """The n-th tensor that the user has recorded by this name."""

    name: str
    n: int
    digest: str


@dataclass(frozen=True, slots=True)
class KeptWeights:
    """The final weights of one model, in a file beside the record."""

    model: str
    file: str
    names: tuple[str, ...]
