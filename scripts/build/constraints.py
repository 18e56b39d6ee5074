"""The constraints file of derived images: nothing that TensorFlow stands on moves in silence.

It holds what decides bits at the locked version, what TensorFlow needs besides within the ranges
that TensorFlow and its requirements state themselves, and packages of which one version fits a
release at that version. pip and uv either keep to it or refuse, and say why.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from scripts.locks.wheels import Wheel, metadata

if TYPE_CHECKING:
    from scripts.matrix import Chosen

# Wheel -> what it requires.
Requires = Callable[[Wheel], Iterable[Requirement]]


def required(wheel: Wheel) -> list[Requirement]:
    """Return what a wheel in the cache requires, by its own metadata."""
    return [Requirement(row) for row in metadata(wheel).get_all("Requires-Dist", ())]


def text(locked: Sequence[Wheel], chosen: Chosen, requires: Requires = required) -> str:
    """Return the file.

    Args:
        locked: the image's wheels, in the cache.
        chosen: which image.
        requires: tells what a wheel requires.
    """
    rows = _ranges(locked, chosen, requires) | _companions(chosen) | _pins(locked, chosen)
    return "".join(f"{name}{specifiers}\n" for name, specifiers in sorted(rows.items()))


def _pins(locked: Sequence[Wheel], chosen: Chosen) -> dict[str, str]:
    pins = {
        wheel.name: f"=={wheel.version}"
        for wheel in locked
        if any(fnmatch.fnmatchcase(wheel.name, one) for one in chosen.family.constrained)
    }
    # Whichever of the two names the image's wheel has, the other stands for it.
    exact = f"=={chosen.image.tensorflow}"
    return pins | {"tensorflow": exact, "tensorflow-cpu": exact}


def _companions(chosen: Chosen) -> dict[str, str]:
    return {str(canonicalize_name(name)): found for name, found in chosen.companions.items()}


def _ranges(locked: Sequence[Wheel], chosen: Chosen, requires: Requires) -> dict[str, str]:
    """Return the ranges of all that TensorFlow requires, and that those require in turn."""
    wheels = {str(canonicalize_name(wheel.name)): wheel for wheel in locked}
    environment = {"python_version": chosen.base.python, "sys_platform": "linux", "extra": ""}
    ranges: dict[str, SpecifierSet] = {}
    left, seen = ["tensorflow-cpu", "tensorflow"], set[str]()
    while left:
        name = left.pop()
        if name in seen or name not in wheels:
            continue
        seen.add(name)
        for each in requires(wheels[name]):
            if each.marker is None or each.marker.evaluate(environment):
                needed = str(canonicalize_name(each.name))
                ranges[needed] = ranges.get(needed, SpecifierSet()) & each.specifier
                left.append(needed)
    return {name: str(found) for name, found in ranges.items() if str(found) and name in wheels}
