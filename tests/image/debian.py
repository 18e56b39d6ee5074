"""A program of Debian's for a test: downloaded with a private apt, unpacked and not installed."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from scripts.locks.apt import Apt, Deb, download, host_sources


def unpacked(package: str, folder: Path) -> Path:
    """Return the root below `folder` that a package is unpacked into, without its dependencies."""
    apt = Apt(folder / "apt", host_sources("bookworm"))
    apt.update()
    return unpack(apt.candidates([package]), folder)


def unpack(debs: Sequence[Deb], folder: Path) -> Path:
    """Return the root below `folder` that packages are downloaded for and unpacked into."""
    for deb in debs:
        download([(deb.location, folder / deb.file_name, deb.sha256)])
        subprocess.run(["dpkg-deb", "-x", folder / deb.file_name, folder / "root"], check=True)
    return folder / "root"
