"""A program of Debian's for a test: downloaded with a private apt, unpacked and not installed."""

from __future__ import annotations

import subprocess
from pathlib import Path

from scripts.locks.apt import Apt, download, host_sources


def unpacked(package: str, folder: Path) -> Path:
    """Return the root below `folder` that a package is unpacked into, without its dependencies."""
    apt = Apt(folder / "apt", host_sources("bookworm"))
    apt.update()
    (deb,) = apt.candidates([package])
    download([(deb.location, folder / deb.file_name, deb.sha256)])
    subprocess.run(["dpkg-deb", "-x", folder / deb.file_name, folder / "root"], check=True)
    return folder / "root"
