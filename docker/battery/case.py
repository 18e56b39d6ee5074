"""A row: something that is computed, of one type and one size, and the digest of what comes out."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from .exact import tensor

Shape = tuple[int, ...]
# The shapes of a function's arguments.
Shapes = tuple[Shape, ...]
# The types that a quick look takes.
SAMPLED = ("float32", "complex64")


@dataclass(frozen=True)
class Case:
    """What is computed; `sample` marks those that a quick look takes."""

    name: str
    kind: str
    size: str
    compute: Callable[[], Any]
    sample: bool = False


def rows(
    functions: Mapping[str, Callable[..., Any]],
    sizes: Sequence[Shapes],
    kinds: Sequence[str],
    domain: str = "any",
    make: Callable[..., Any] = tensor,
) -> Iterator[Case]:
    """Yield a row for each function, type and size.

    A quick look takes the first size of some types.

    Args:
        functions: by name; each takes as many arguments as a size has shapes.
        sizes: the arguments' shapes.
        kinds: their types.
        domain: which numbers: see `exact.doubles`.
        make: makes an argument.
    """
    for name, function in functions.items():
        for kind in kinds:
            for size in sizes:
                label = " ".join("x".join(map(str, shape)) for shape in size)
                compute = partial(_apply, function, size, kind, domain, make)
                sample = size == sizes[0] and kind in SAMPLED
                yield Case(name, kind, label, compute, sample=sample)


def _apply(
    function: Callable[..., Any],
    size: Shapes,
    kind: str,
    domain: str,
    make: Callable[..., Any],
) -> Any:
    return function(*(make(shape, kind, domain, salt) for salt, shape in enumerate(size)))


def flat(found: Any) -> Iterator[Any]:
    """Yield the arrays of a result, whatever it nests them in; what is none is left out."""
    if found is None:
        return
    if isinstance(found, dict):
        found = [found[key] for key in sorted(found)]
    if isinstance(found, list | tuple):
        for one in found:
            yield from flat(one)
        return
    # A gradient of an embedding comes as the slices that it is not zero in.
    if hasattr(found, "indices") and hasattr(found, "values"):
        yield from flat([found.indices, found.values])
        return
    yield np.ascontiguousarray(found.numpy() if hasattr(found, "numpy") else found)


def digest(found: Any) -> str:
    """Return a digest of all bits of a result, and of its types and shapes.

    What is no number is none whatever its bits: QEMU takes those of the other operand where both
    are none.
    """
    hashed = hashlib.sha256()
    for one in flat(found):
        if one.dtype.kind in "fc" and np.isnan(one).any():
            one = np.where(np.isnan(one), one.dtype.type("nan"), one)  # noqa: PLW2901
        hashed.update(f"{one.dtype} {one.shape}\n".encode())
        hashed.update(one.tobytes())
    return hashed.hexdigest()[:16]
