"""A made-up image of two Debian packages and two wheels, small enough to know all of it."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

from scripts.build.build import Built, Materials
from scripts.contents import sbom
from scripts.locks.apt import Deb
from scripts.locks.wheels import Wheel, cached
from scripts.matrix import Chosen

CONFIG = f"sha256:{'c' * 64}"
INPUTS = f"sha256:{'d' * 64}"
MACHINE_READABLE = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Files: *
License: GPL-2+ or Artistic, and Expat

Files: debian/*
License: permissive
"""
STATUS = """Package: libc++6
Source: llvm (1:2-3)
Version: 1:2-3+b1

Package: tar
Version: 1.34
"""
DEBS = (
    Deb("libc++6", "1:2-3+b1", "amd64", "a" * 64, 1, "pool/l/llvm/x.deb"),
    Deb("tar", "1.34", "amd64", "b" * 64, 1, "pool/t/tar/x.deb"),
)


def wheel(name: str, metadata: str) -> Wheel:
    """Make a wheel that says this of itself, in the cache."""
    made = Wheel(name, "1.0", f"{len(metadata):064x}", f"{name}-1.0-py3-none-any.whl", 1)
    with zipfile.ZipFile(cached(made), "w") as file:
        file.writestr(f"{name}-1.0.dist-info/METADATA", metadata)
        file.writestr(f"{name}/vendored-2.0.dist-info/METADATA", "License: not ours\n")
    return made


def wheels() -> tuple[Wheel, ...]:
    """Make the image's wheels."""
    return (
        wheel("numpy", "Name: numpy\nLicense-Expression: BSD-3-Clause\n"),
        wheel("nvidia-x", "Name: nvidia-x\nLicense: NVIDIA Proprietary Software\n"),
    )


def layer(folder: Path) -> Path:
    """Make the tar of a root file system; tar's copyright file is a link to another package's."""
    path = folder / "layer.tar"
    with tarfile.open(path, "w") as tar:
        for name, text in {
            "./usr/share/doc/libc++6/copyright": MACHINE_READABLE,
            "./usr/share/doc/other/README": "nothing",
            "./var/lib/dpkg/status": STATUS,
        }.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
        link = tarfile.TarInfo("./usr/share/doc/tar")
        link.type, link.linkname = tarfile.SYMTYPE, "libc++6"
        tar.addfile(link)
    return path


# What the kit changes in a package by.
MADE = {"processor.json": b"{}"}


def documents(folder: Path, chosen: Chosen) -> dict[str, bytes]:
    """Make the image's bills of materials."""
    return sbom.make(chosen, DEBS, wheels(), layer(folder), MADE)


def built(folder: Path, chosen: Chosen) -> Built:
    """Make the image as the kit knows it after a build; its record has to be there."""
    materials = Materials(DEBS, wheels(), documents(folder, chosen))
    return Built(("org/tf-repro:2.15-cpu",), CONFIG, {}, materials, INPUTS)
