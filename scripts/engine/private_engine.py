"""The private engine's programs: Debian packages, unpacked into a folder and never installed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from scripts.errors import KitError
from scripts.locks.apt import HOST_STATUS, Apt, Deb, Source, download, host_codename, host_sources
from scripts.places import require_disk, scratch
from scripts.processes import finish, run
from scripts.ui import download_bar, say

# Bookworm's own engine (20.10) cannot export an image reproducibly and has no buildx. sid's runs on
# bookworm's libraries; where sid has moved on and it no longer does, trixie's is the next best.
CURRENT = ("docker.io", "docker-cli", "docker-buildx", "containerd")
CURRENT_SUITES = ("sid", "trixie")
# These are built against the host's libraries, so they come from the host's release.
FROM_HOST = ("runc", "iptables")
# In Debian these names are made by update-alternatives when the package is installed.
ALTERNATIVES = {"iptables": "xtables-nft-multi", "ip6tables": "xtables-nft-multi"}
# The packages, and what is unpacked of them.
DISK_GB = 0.5
LIBRARIES = "usr/lib/x86_64-linux-gnu"


def environment(files: Path) -> dict[str, str]:
    """Return what dockerd needs in its environment to find its programs and their libraries.

    What the host has of FROM_HOST is not unpacked, and its iptables has extensions of its own.
    """
    programs = ":".join(str(files / folder) for folder in ("usr/sbin", "usr/bin"))
    extensions = files / LIBRARIES / "xtables"
    return {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "LD_LIBRARY_PATH": str(files / LIBRARIES),
        **({"XTABLES_LIBDIR": str(extensions)} if extensions.is_dir() else {}),
    }


def unpack(files: Path) -> None:
    """Download and unpack the engine into `files`, unless it is there already.

    The folder appears whole or not at all: it is renamed into place when everything runs.

    Raises:
        KitError: no network, or no suite whose engine runs on this host.
    """
    if files.is_dir():
        return
    files.parent.mkdir(parents=True, exist_ok=True)
    require_disk(files.parent, DISK_GB, "a Docker engine")
    host = host_sources(host_codename())
    for suite in CURRENT_SUITES:
        with scratch() as work:
            _assemble(work, suite, host)
            if _runs(work / "root"):
                (work / "root").rename(files)
                return
        say(f"the Docker engine of Debian {suite} does not run here; trying an older one")
    raise KitError("no Docker engine out of Debian's packages runs here; install one and try again")


def _assemble(work: Path, suite: str, host: list[Source]) -> None:
    current = Apt(work / "current", [Source(host[0].root, suite)])
    current.update()
    own = Apt(work / "own", host, HOST_STATUS)
    own.update()
    debs = current.candidates(CURRENT) + own.closure(FROM_HOST)
    _download(debs, work)
    root = work / "root"
    for deb in debs:
        run(["dpkg-deb", "-x", work / deb.file_name, root])
    for name, target in ALTERNATIVES.items():
        link = root / "usr/sbin" / name
        if (root / "usr/sbin" / target).exists() and not link.exists():
            link.symlink_to(target)


def _download(debs: list[Deb], folder: Path) -> None:
    total = sum(deb.size for deb in debs)
    with download_bar("Docker engine from Debian", total) as bar:
        for deb in debs:
            download([(deb.location, folder / deb.file_name, deb.sha256)])
            bar.advance(bar.task_ids[0], deb.size)


def _runs(files: Path) -> bool:
    env = {**os.environ, **environment(files)}
    programs = [files / "usr/sbin/dockerd", files / "usr/bin/containerd", files / "usr/bin/docker"]
    if runc := shutil.which("runc", path=env["PATH"]):
        programs.append(Path(runc))
    return all(finish([program, "--version"], env=env).returncode == 0 for program in programs)
