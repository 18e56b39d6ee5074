"""The root file system: one layer, made by mmdebstrap out of locked Debian packages, offline.

The same packages and the same epoch give the same bytes, whatever the host, the hour or the user.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from scripts import oci
from scripts.errors import KitError
from scripts.locks import debs
from scripts.locks.apt import Apt, Deb, Source, download
from scripts.matrix import Base
from scripts.places import data_folder, data_root, scratch
from scripts.processes import finish, last_words, require_program, run
from scripts.ui import stage

# Moved when this file makes other bytes out of the same packages, so that no old tar is taken.
RECIPE = "1"
# What differs from host to host or from run to run, and what no container reads.
# https://manpages.debian.org/mmdebstrap#REPRODUCIBLE_BUILDS
REMOVED = (
    "etc/hostname",
    "etc/resolv.conf",
    "etc/machine-id",
    "var/lib/dbus/machine-id",
    "var/cache/debconf/*-old",
    "var/lib/dpkg/*-old",
    "var/cache/ldconfig/aux-cache",
    "var/log/*.log",
    "var/log/apt/*",
    "var/lib/apt/lists/*",
    "var/cache/apt/*.bin",
    "var/cache/apt/archives/*.deb",
)
# Debian's own list of its repositories, out of the package apt: derived images can use apt, and the
# kit names no mirror.
DEBIAN_SOURCES = "usr/share/doc/apt/examples/sources.list"


def key(packages: Sequence[Deb], base: Base, epoch: int) -> str:
    """Return the name under which the tar of these inputs is kept: a SHA-256 over all of them."""
    rows = [f"{deb.file_name} {deb.sha256}" for deb in sorted(packages)]
    inputs = "\n".join([RECIPE, str(epoch), *base.packages, *REMOVED, *rows])
    return hashlib.sha256(inputs.encode()).hexdigest()


def build(packages: Sequence[Deb], base: Base, epoch: int) -> Path:
    """Return an OCI image layout whose one layer is these packages, made now or kept from before.

    See `make` for the arguments and what is raised.
    """
    target = data_folder("rootfs") / key(packages, base, epoch)
    if not target.is_dir():
        make(packages, base, epoch, target)
    return target


def make(packages: Sequence[Deb], base: Base, epoch: int, target: Path) -> None:
    """Make an OCI image layout whose one layer is these packages, whole or not at all.

    Args:
        packages: all of the base, in the cache.
        base: which release, and what was asked for.
        epoch: seconds since 1970 that every file carries at most.
        target: the folder that it becomes; on the data root's disk.

    Raises:
        KitError: mmdebstrap is not to be had, or fails.
    """
    if os.geteuid() != 0:
        raise KitError("only root can make a root file system; run as root")
    program = _mmdebstrap(base)
    with stage(f"root file system: Debian {base.codename}"), scratch() as work:
        for folder in ("repository", "tmp", "made"):
            (work / folder).mkdir()
        source = debs.repository(packages, work / "repository")
        _bootstrap(program, source, packages, base, epoch, work)
        oci.write_layout(
            work / "made", layer=work / "rootfs.tar", epoch=epoch, made_by="mmdebstrap"
        )
        (work / "made").rename(target)


def _bootstrap(
    program: Path, source: Source, packages: Sequence[Deb], base: Base, epoch: int, work: Path
) -> None:
    removed = " ".join(f'"$1"/{pattern}' for pattern in REMOVED)
    hooks = (
        # Its quotes stay outside of the patterns, so that the shell expands them in the new root.
        f"rm -rf {removed}",
        f'sed -n "s/^\\(deb .* main\\).*/\\1/p" "$1"/{DEBIAN_SOURCES} > "$1"/etc/apt/sources.list',
    )
    argv = [
        # A mount namespace of its own, so that a killed build leaves no mount behind.
        *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
        *("perl", str(program), "--mode=root", "--variant=apt", "--format=tar"),
        # All of the lock by name: exactly that is installed, nothing is resolved here.
        f"--include={','.join(deb.name for deb in packages)}",
        '--aptopt=APT::Sandbox::User "root"',
        *(f"--customize-hook={hook}" for hook in hooks),
        *(base.codename, str(work / "rootfs.tar"), source.line),
    ]
    # Only what the result may depend on: no locale, time zone or proxy of the host.
    env = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "TMPDIR": str(work / "tmp"),
        "SOURCE_DATE_EPOCH": str(epoch),
    }
    done = finish(argv, env=env, umask=0o022)
    if done.returncode:
        raise KitError(f"mmdebstrap could not make the root file system: {last_words(done.stderr)}")


def _mmdebstrap(base: Base) -> Path:
    """Return mmdebstrap, a Perl program of the base's own release: unpacked, not installed."""
    folder = data_root() / f"mmdebstrap-{base.codename}"
    if not folder.is_dir():
        require_program("perl", "install it: `apt-get install perl`")
        with scratch() as work:
            apt = Apt(work / "apt", debs.sources(base))
            apt.update()
            (deb,) = apt.candidates(["mmdebstrap"])
            download([(deb.location, work / deb.file_name, deb.sha256)])
            run(["dpkg-deb", "-x", work / deb.file_name, work / "root"])
            (work / "root").rename(folder)
    return folder / "usr/bin/mmdebstrap"
