"""`make bisect`: which image is the first with other bits, and which package moves them?

The images between a good and a bad one are halved until two neighbours are left. Then images are
built in between: the good one, with more and more packages of the bad one.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import functools
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.version import Version
from rich.console import Console
from rich.table import Table

from scripts.build import build, in_between
from scripts.errors import KitError
from scripts.locks import wheels
from scripts.locks.lock import REQUIREMENTS_LOCK, moves
from scripts.places import IMAGES
from scripts.proof import verify
from scripts.tags import SHORT_DIGEST
from scripts.ui import say

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.build.build import Built
    from scripts.engine.engine import Engine
    from scripts.locks.wheels import Wheel
    from scripts.matrix import Matrix
    from scripts.proof.verify import Asked

# What of a passport's results is the same wherever the bits are; names of weights are not.
BITS = ("exit_status", "steps", "last_loss", "last_weights_digest")
WIDTH = 140


@dataclass(frozen=True)
class Tried:
    """An image, and what the training ended with in it; without bits where it did not."""

    name: str
    bits: tuple[str, ...] = ()
    metrics: str = ""


@dataclass
class Bisection:
    """Runs a script in images, each once, and knows what came out."""

    host: Engine
    asked: Asked
    tried: list[Tried] = field(default_factory=list)

    def run(self, name: str, built: Built) -> Tried:
        """Verify the script in an image.

        Raises:
            KitError: the script fails there, trains nothing, or is not the same twice.
        """
        say(f"{name}:")
        into = self.asked.into / name.replace(" ", "-")
        status = verify.verify(self.host, built, dataclasses.replace(self.asked, into=into))
        if status:
            raise KitError(
                f"{self.asked.script} is not the same twice in {name}: `make verify` says why"
            )
        found = _read(name, into / verify.REPORTS[2])
        self.tried.append(found)
        return found

    def differs(
        self, name: str, made: Callable[[], AbstractContextManager[Built]], right: tuple[str, ...]
    ) -> bool | None:
        """Return whether an image gives other bits than the right ones; None if it cannot be told.

        Args:
            name: of the image.
            made: makes it, and removes it if it is to go.
            right: the bits of the good image.
        """
        try:
            with made() as built:
                return self.run(name, built).bits != right
        except KitError as error:
            say(f"{name} cannot be told: {error}")
            self.tried.append(Tried(name))
            return None


def bisect(host: Engine, known: Matrix, asked: Asked, good: str, bad: str) -> None:
    """Say which image is the first with other bits than the good one's, and which packages do it.

    Args:
        host: the engine.
        known: the family.
        asked: what is run; its reports go to a folder for each image.
        good: the tag of an image with the bits that are right.
        bad: the tag of a later or an earlier one with others.

    Raises:
        KitError: there are no such images, the script fails in one of the two, or their bits are
            the same.
    """
    tags = between(known, good, bad)
    search = Bisection(host, asked)

    def image(tag: str) -> Built:
        return build.build(known.named(tag), host)

    right = search.run(good, image(good))
    if search.run(bad, image(bad)).bits == right.bits:
        raise KitError(f"{good} and {bad} end with the same bits: nothing to look for")

    def is_bad(number: int) -> bool | None:
        tag = tags[number]
        return search.differs(tag, lambda: nullcontext(image(tag)), right.bits)

    last, first = halved(0, len(tags) - 1, is_bad)
    found = _packages(search, known, image(tags[last]), (tags[last], tags[first]), right.bits)
    _show(search.tried, right.bits)
    unknown = f"; {', '.join(tags[last + 1 : first])} cannot be told" if first - last > 1 else ""
    say(f"{tags[first]} is the first with other bits than {good}{unknown}", style="bold")
    say(found, style="bold")


def between(known: Matrix, good: str, bad: str) -> list[str]:
    """Return the tags from the good image to the bad one, by release.

    Raises:
        KitError: there is no such image, they are one, or one is for a GPU and the other is not.
    """
    ends = [known.named(tag).image for tag in (good, bad)]
    if ends[0].device != ends[1].device:
        raise KitError(f"GOOD={good} BAD={bad}: name two images for the same device")
    if good == bad:
        raise KitError(f"GOOD={good} BAD={bad}: name two images")
    same = [tag for tag, image in known.image.items() if image.device == ends[0].device]
    same.sort(key=lambda tag: Version(known.image[tag].tensorflow))
    low, high = sorted((same.index(good), same.index(bad)))
    found = same[low : high + 1]
    return found if found[0] == good else found[::-1]


def halved(good: int, bad: int, is_bad: Callable[[int], bool | None]) -> tuple[int, int]:
    """Return the last number that is good and the first that is bad, by few questions.

    Args:
        good: is known to be.
        bad: likewise, a larger number.
        is_bad: asks for a number between them; None where it cannot be told. Such numbers may lie
            between the two that are returned.
    """
    unknown: set[int] = set()
    while left := [one for one in range(good + 1, bad) if one not in unknown]:
        middle = min(left, key=lambda one: abs(2 * one - good - bad))
        verdict = is_bad(middle)
        if verdict is None:
            unknown.add(middle)
        elif verdict:
            bad = middle
        else:
            good = middle
    return good, bad


def _packages(
    search: Bisection, known: Matrix, start: Built, tags: tuple[str, str], right: tuple[str, ...]
) -> str:
    """Return in words which packages move the bits from one image to its neighbour."""
    before, after = (wheels.read_lock(IMAGES / tag / REQUIREMENTS_LOCK) for tag in tags)
    there = {wheel.name: wheel for wheel in after}
    moved = {
        name: f"{name} {old} -> {new}"
        for name, old, new in moves(_versions(before), _versions(after))
        if name in there
    }
    base = known.named(tags[0]).base

    @functools.cache
    def asks(names: tuple[str, ...]) -> bool | None:
        name = f"{tags[0]} with {names[-1]} and {len(names) - 1} more of {tags[1]}"
        chosen = [there[one] for one in names]
        return search.differs(
            name, lambda: in_between.built(search.host, start, base, chosen), right
        )

    def search_in(steps: Sequence[Sequence[str]], kept: Sequence[str]) -> list[str]:
        """Return the step that moves the bits, on top of packages that do not."""

        def is_bad(number: int) -> bool | None:
            return asks((*kept, *(name for step in steps[:number] for name in step)))

        if is_bad(len(steps)) is False:
            return []
        last, first = halved(0, len(steps), is_bad)
        guilty = [name for step in steps[last:first] for name in step]
        if first - last == 1 and len(guilty) > 1:
            passed = [*kept, *(name for step in steps[:last] for name in step)]
            return search_in([[name] for name in guilty], passed)
        return guilty

    guilty = search_in(_in_steps(sorted(moved), known.family.constrained), [])
    if not guilty:
        return (
            f"no package moves them: they move with what else differs between {' and '.join(tags)}"
        )
    words = ", ".join(moved[name] for name in guilty)
    together = "; nothing in between runs" if len(guilty) > 1 else ""
    return f"the bits move with {words}{together}"


def _versions(locked: Sequence[Wheel]) -> dict[str, str]:
    return {wheel.name: wheel.version for wheel in locked}


def _in_steps(names: Sequence[str], constrained: Sequence[str]) -> list[list[str]]:
    """Return packages in the order in which they are moved: what decides bits comes last, alone.

    >>> _in_steps(["a", "b", "keras", "numpy"], ["keras", "numpy"])
    [['a', 'b'], ['numpy'], ['keras']]
    """

    def rank(name: str) -> int:
        return next(
            (at for at, one in enumerate(constrained) if fnmatch.fnmatchcase(name, one)), -1
        )

    others = [name for name in names if rank(name) < 0]
    weighty = sorted((name for name in names if rank(name) >= 0), key=rank, reverse=True)
    return [*([others] if others else []), *([name] for name in weighty)]


def _read(name: str, passport: Path) -> Tried:
    results = json.loads(passport.read_text())["results"]
    bits = tuple(str(results[one]) for one in BITS)
    if not results["steps"]:
        if not results["final_weights"]:
            raise KitError(f"no training was seen in {name}, so there are no bits to compare")
        bits = (str(results["exit_status"]), results["final_weights"])
    metrics = ", ".join(f"{key} {value:.9g}" for key, value in results["metrics"].items())
    return Tried(name, bits, metrics)


def _show(tried: Sequence[Tried], right: tuple[str, ...]) -> None:
    out = Console()
    if not out.is_terminal:
        out.width = WIDTH
    table = Table("image", "metrics", "last weights", "bits")
    for one in tried:
        verdict = "good" if one.bits == right else "others" if one.bits else "cannot be told"
        digest = one.bits[-1][:SHORT_DIGEST] if one.bits else ""
        table.add_row(one.name, one.metrics, digest, verdict)
    out.print(table)
