"""The emulator: this machine's, or the one of Debian's package, unpacked and never installed.

QEMU computes floats itself, in integers, exactly as IEEE 754 has it, and estimates none: its
processors are of another make than any that is built.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from scripts.locks.apt import Apt, download, host_codename, host_sources
from scripts.places import data_folder, require_disk, scratch
from scripts.processes import run
from scripts.ui import download_bar

PACKAGE = "qemu-user-static"
NAME = "qemu-x86_64-static"
# The package has an emulator of every architecture, and one is kept.
DISK_GB = 0.7


def program() -> Path:
    """Return the emulator of x86-64; the first time, it is downloaded.

    Raises:
        KitError: no network, or no Debian.
    """
    if installed := shutil.which(NAME):
        return Path(installed)
    kept = data_folder("qemu") / NAME
    if not kept.exists():
        require_disk(kept.parent, DISK_GB, f"Debian's {PACKAGE}")
        with scratch() as work:
            _unpacked(work).rename(kept)
    return kept


def version(emulator: Path) -> str:
    """Return what it says it is, as in "qemu-x86_64 version 7.2.22 (Debian 1:7.2+dfsg-7)"."""
    return run([emulator, "--version"]).splitlines()[0]


def _unpacked(work: Path) -> Path:
    apt = Apt(work / "apt", host_sources(host_codename()))
    apt.update()
    (deb,) = apt.candidates([PACKAGE])
    with download_bar(f"{PACKAGE} from Debian", deb.size) as bar:
        download([(deb.location, work / deb.file_name, deb.sha256)])
        bar.advance(bar.task_ids[0], deb.size)
    run(["dpkg-deb", "-x", work / deb.file_name, work / "root"])
    return work / "root/usr/bin" / NAME
