"""`make lock`: resolve what matrix.toml asks for, and write down every byte of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.table import Table

from scripts.locks import debs, wheels
from scripts.locks.apt import Deb
from scripts.matrix import Base, Chosen
from scripts.places import IMAGES
from scripts.ui import console, say, stage

DEBS_LOCK = "debs.lock"
REQUIREMENTS_LOCK = "requirements.lock"


NONE = "(none)"
# A package of an image's lock, the version that it had, and the one that it has.
Move = tuple[str, str, str]


def lock(images: Sequence[Chosen], folder: Path = IMAGES) -> None:
    """Write both locks of some images and say what moved.

    Args:
        images: those on one base get the same Debian packages.
        folder: the folder of the images' folders.

    Raises:
        KitError: something cannot be resolved; no lock of that image is changed.
    """
    packages: dict[str, list[Deb]] = {}
    moved: dict[Move, list[str]] = {}
    for one in images:
        name = one.image.base
        if name not in packages:
            packages[name] = _resolve_debs(name, one.base)
        for move in _lock(one, packages[name], folder):
            moved.setdefault(move, []).append(one.tag)
    if moved:
        console.print(_table(moved))
    else:
        say("nothing has moved")


def _resolve_debs(name: str, base: Base) -> list[Deb]:
    with stage(f"{name}: resolving Debian packages"):
        live = debs.sources(base)
        return [debs.relative(deb, live) for deb in debs.resolve(base, live)]


def _lock(chosen: Chosen, packages: Sequence[Deb], folder: Path) -> list[Move]:
    """Write the locks of one image; return what moved, nothing if it had none."""
    tag, base = chosen.tag, chosen.base
    with stage(f"{tag}: resolving Python packages"):
        found = wheels.resolve(chosen.requirements, base)
    home = folder / tag
    home.mkdir(exist_ok=True)
    before = versions(home)
    debs.write_lock(home / DEBS_LOCK, tag, base, packages)
    wheels.write_lock(home / REQUIREMENTS_LOCK, tag, base, found)
    moved = list(moves(before, versions(home))) if before else []
    news = f"{len(moved)} moved" if before else "locked for the first time"
    say(f"{tag}: {len(packages)} Debian packages, {len(found)} wheels, {news}")
    return moved


def _table(moved: Mapping[Move, Sequence[str]]) -> Table:
    """Show each move once, with the images that it is in."""
    table = Table("package", "from", "to", "images", title="What has moved", title_justify="left")
    for move, tags in sorted(moved.items()):
        table.add_row(*move, " ".join(tags))
    return table


def versions(home: Path) -> dict[str, str]:
    """Return the version of every package that the locks in `home` name, if there are any."""
    found: dict[str, str] = {}
    if (home / DEBS_LOCK).exists():
        found |= {f"deb {deb.name}": deb.version for deb in debs.read_lock(home / DEBS_LOCK)}
    if (home / REQUIREMENTS_LOCK).exists():
        rows = wheels.read_lock(home / REQUIREMENTS_LOCK)
        found |= {f"wheel {wheel.name}": wheel.version for wheel in rows}
    return found


def moves(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Move]:
    """Yield each package that came, went or moved.

    >>> list(moves({"wheel keras": "2.14"}, {"wheel keras": "2.15", "deb tar": "1"}))
    [('deb tar', '(none)', '1'), ('wheel keras', '2.14', '2.15')]
    """
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, NONE), after.get(name, NONE)
        if old != new:
            yield name, old, new


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each package that came, went or moved.

    >>> list(difference({"wheel keras": "2.14"}, {"wheel keras": "2.15", "deb tar": "1"}))
    ['deb tar: (none) -> 1', 'wheel keras: 2.14 -> 2.15']
    """
    for name, old, new in moves(before, after):
        yield f"{name}: {old} -> {new}"


def contradictions(chosen: Chosen, folder: Path = IMAGES) -> Iterator[str]:
    """Yield what in an image's locks contradicts matrix.toml: nobody locked after a change."""
    home = folder / chosen.tag
    locked = versions(home)
    for package in chosen.base.packages:
        if f"deb {package}" not in locked:
            yield f"{home / DEBS_LOCK}: {package} is missing"
    for requirement in chosen.requirements:
        name, exact, version = requirement.partition("==")
        if exact and locked.get(f"wheel {name}") != version:
            yield f"{home / REQUIREMENTS_LOCK}: {requirement} is not what it names"
    for pin in chosen.left_out:
        if f"wheel {pin.partition('==')[0]}" in locked:
            yield f"{home / REQUIREMENTS_LOCK}: {pin} is left out, and yet it is there"
