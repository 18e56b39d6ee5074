"""The lock of an image's Debian packages: written, read, and turned into verified files.

A locked package is looked for in the kit's own cache, then in the dated archive if the user named
one (DEB_ARCHIVE), then in the live mirror, and each file is checked against the lock. Debian's
mirrors drop a package when a security update supersedes it, so that a lock that is some weeks old
may name what is nowhere to be had any more: `Obtained.drift`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scripts.digests import sha256
from scripts.errors import KitError
from scripts.locks.apt import Apt, Deb, Source, download, host_sources, read_sources
from scripts.locks.cache import holds
from scripts.locks.lock_file import rows_of
from scripts.matrix import Base
from scripts.places import data_folder, scratch
from scripts.processes import run
from scripts.ui import download_bar, warn

# What mmdebstrap's variant `minbase` holds: https://manpages.debian.org/mmdebstrap#VARIANTS
MINBASE = ("?essential", "?priority(required)", "apt")
# Enough for apt to use a connection well, few enough to show that something moves.
BATCH = 16


@dataclass(frozen=True)
class Obtained:
    """The files of a base, in the cache, and what differs from the lock (normally nothing)."""

    debs: tuple[Deb, ...]
    drift: tuple[str, ...] = ()


def sources(base: Base) -> list[Source]:
    """Return the live repositories: those of DEB_SOURCES, else those of the host's apt."""
    if chosen := os.environ.get("DEB_SOURCES"):
        return read_sources(Path(chosen))
    return host_sources(base.codename)


def resolve(base: Base, live: Sequence[Source], preferred: Sequence[Deb] = ()) -> list[Deb]:
    """Return the packages of a base as the live repositories have them now.

    Args:
        base: what is asked for.
        live: the repositories.
        preferred: versions to keep wherever `live` has them.
    """
    with scratch() as work:
        apt = Apt(work, live)
        apt.prefer(preferred)
        apt.update()
        return apt.closure([*MINBASE, *base.packages])


def relative(deb: Deb, live: Sequence[Source]) -> Deb:
    """Return `deb` with its location as a path below the repository that it comes from."""
    for root in sorted({source.root for source in live}, key=len, reverse=True):
        if deb.location.startswith(f"{root}/"):
            return replace(deb, location=deb.location.removeprefix(f"{root}/").removeprefix("./"))
    raise KitError(f"{deb.name}: apt took it from {deb.location}, which is in none of the sources")


def write_lock(path: Path, tag: str, base: Base, debs: Sequence[Deb]) -> None:
    """Write the lock; `read_lock` reads it."""
    rows = "".join(
        f"{deb.name} {deb.version} {deb.arch} {deb.sha256} {deb.size} {deb.location}\n"
        for deb in sorted(debs)
    )
    path.write_text(
        f"# Made by `make lock IMAGE={tag}` from images/matrix.toml; do not edit.\n"
        f"# Debian {base.codename}: name, version, architecture, SHA256, bytes, path.\n"
        f"{rows}"
    )


def read_lock(path: Path) -> tuple[Deb, ...]:
    """Read a lock.

    Raises:
        KitError: it is not there, or a line is not of the form that `write_lock` writes.
    """
    debs = []
    for number, line in rows_of(path):
        try:
            name, version, arch, sha, size, location = line.split(" ")
            debs.append(Deb(name, version, arch, sha, int(size), location))
        except ValueError as error:
            raise KitError(
                f"{path}:{number}: not a line of a debs lock; `make lock` writes it"
            ) from error
    return tuple(debs)


def cached(deb: Deb) -> Path:
    """Return the place of a package's file in the cache."""
    return data_folder("debs") / deb.file_name


def repository(packages: Sequence[Deb], folder: Path) -> Source:
    """Make a local Debian repository of cached packages; return the source that names it."""
    index = []
    for deb in packages:
        (folder / deb.file_name).hardlink_to(cached(deb))
        control = run(["dpkg-deb", "--field", cached(deb)])
        index.append(
            f"{control.rstrip()}\nFilename: ./{deb.file_name}\n"
            f"Size: {deb.size}\nSHA256: {deb.sha256}\n"
        )
    (folder / "Packages").write_text("\n".join(index))
    return Source(f"copy:{folder}", "./", components="", options="trusted=yes")


def source(deb: Deb) -> tuple[str, str]:
    """Return the source package that a cached deb was built from, and its version."""
    form = "${source:Package} ${source:Version}"
    said = run(["dpkg-deb", "--show", f"--showformat={form}", cached(deb)])
    name, _, version = said.partition(" ")
    return name, version


def obtain(locked: Sequence[Deb], base: Base, *, release: bool) -> Obtained:
    """Bring every locked package into the cache, verified.

    Args:
        locked: the lock's packages.
        base: the base that they make.
        release: whether a package that is nowhere to be had stops the build. Otherwise the current
            version out of the same suite takes its place, and the result says so.

    Raises:
        KitError: a file has other bytes than the lock says, or `release` and something is gone.
    """
    missing = [deb for deb in locked if not holds(cached(deb), deb.sha256)]
    if missing:
        live = sources(base)
        gone = _download(missing, [*_archive_roots(), *(source.root for source in live)])
        if gone:
            return _drifted(locked, gone, base, live, release=release)
    return Obtained(tuple(locked))


def _archive_roots() -> list[str]:
    return [root.rstrip("/") for root in os.environ.get("DEB_ARCHIVE", "").split()]


def _download(debs: Sequence[Deb], roots: Sequence[str]) -> list[Deb]:
    """Download `debs` from the first root that has them; return those that none has."""
    left = list(debs)
    with (
        scratch() as work,
        download_bar("Debian packages", sum(deb.size for deb in debs)) as bar,
    ):
        for root in dict.fromkeys(roots):
            for start in range(0, len(left), BATCH):
                batch = left[start : start + BATCH]
                _download_batch(batch, root, work)
                bar.advance(
                    bar.task_ids[0],
                    sum(deb.size for deb in batch if holds(cached(deb), deb.sha256)),
                )
            left = [deb for deb in left if not cached(deb).exists()]
    return left


def _download_batch(batch: Sequence[Deb], root: str, work: Path) -> None:
    """Try one root for some packages; those that it has move into the cache."""
    try:
        download([(f"{root}/{deb.location}", work / deb.file_name, deb.sha256) for deb in batch])
    except KitError as error:
        reason = str(error)
    else:
        reason = ""
    for deb in batch:
        arrived = work / deb.file_name
        # apt keeps a file that has other bytes than we asked for under this name.
        rejected = work / f"{deb.file_name}.FAILED"
        if rejected.exists() and "Hash Sum mismatch" in reason:
            raise KitError(
                f"{deb.file_name}: expected sha256 {deb.sha256}, found {sha256(rejected)}: "
                f"{root} serves another file than the lock names"
            )
        if arrived.exists():
            arrived.rename(cached(deb))


def _drifted(
    locked: Sequence[Deb], gone: Sequence[Deb], base: Base, live: Sequence[Source], *, release: bool
) -> Obtained:
    names = ", ".join(f"{deb.name} {deb.version}" for deb in gone)
    kept = [deb for deb in locked if deb not in gone]
    # Before anything is called gone: it raises if it is only the mirror that does not answer.
    current = _resolve_with(kept, base, live)
    if release:
        raise KitError(
            f"{len(gone)} locked Debian packages are nowhere to be had: {names}; run `make lock` "
            "and commit what moved, or name a dated archive that still has them (DEB_ARCHIVE=ROOT)"
        )
    if lost := _download(
        [deb for deb in current if not holds(cached(deb), deb.sha256)],
        [source.root for source in live],
    ):
        raise KitError(
            f"the Debian mirror lists {lost[0].file_name} and does not have it; try again"
        )
    locked_versions = {deb.name: deb.version for deb in locked}
    drift = tuple(
        f"{deb.name} {locked_versions.get(deb.name, '(new)')} -> {deb.version}"
        for deb in current
        if locked_versions.get(deb.name) != deb.version
    )
    warn(
        f"{len(gone)} locked Debian packages are nowhere to be had: {names}. This build takes what "
        f"the mirror has now and is marked as drifted: {'; '.join(drift)}. `make lock` mends it."
    )
    return Obtained(tuple(current), drift)


def _resolve_with(kept: Sequence[Deb], base: Base, live: Sequence[Source]) -> list[Deb]:
    """Resolve the base anew around the locked packages that are still to be had."""
    with scratch() as work:
        own = repository(kept, work)
        by_file = {deb.file_name: deb for deb in kept}
        current = resolve(base, [own, *live], preferred=kept)
        return [by_file.get(deb.file_name) or relative(deb, live) for deb in current]
