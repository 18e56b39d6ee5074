"""What an image is made of: every Debian package and wheel, with what it says of itself."""

from __future__ import annotations

import hashlib
import posixpath
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from scripts.contents import licences
from scripts.locks.apt import Deb
from scripts.locks.wheels import Wheel, metadata
from scripts.matrix import Base

DOC = "usr/share/doc"
STATUS = "var/lib/dpkg/status"


@dataclass(frozen=True, order=True)
class Component:
    """A package that an image holds.

    Attributes:
        purl: its package URL, https://github.com/package-url/purl-spec.
        name: what it is called.
        version: which one.
        file_name: the file that it came in.
        sha256: of that file, in hex.
        licence: an SPDX expression, or NOASSERTION.
        licence_source: what of the package says so.
        source: for a Debian package the source package and its version, else empty.
    """

    purl: str
    name: str
    version: str
    file_name: str
    sha256: str
    licence: str
    licence_source: str
    source: str = ""


def of_image(
    packages: Sequence[Deb], wheels: Sequence[Wheel], base: Base, layer: Path
) -> list[Component]:
    """Return the components of an image, in a fixed order.

    Args:
        packages: its Debian packages.
        wheels: its wheels, in the cache and verified.
        base: what the Debian packages make.
        layer: the tar of the root file system, which holds their copyright files.
    """
    return sorted([*_debs(packages, base, layer), *(_wheel(wheel) for wheel in wheels)])


def of_file(name: str, content: bytes, version: str, licence: str) -> Component:
    """Return the component of a file that the kit makes of a package.

    Args:
        name: of the file.
        content: of it.
        version: of the package.
        licence: the kit's own.
    """
    return Component(
        purl=f"pkg:generic/tf-repro/{quote(name, safe='')}@{quote(version, safe='')}",
        name=name,
        version=version,
        file_name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        licence=licence,
        licence_source="the kit makes it",
    )


def deb_purl(deb: Deb, base: Base) -> str:
    """Return the package URL of a Debian package."""
    return (
        f"pkg:deb/debian/{quote(deb.name, safe='')}@{quote(deb.version, safe=':')}"
        f"?arch={deb.arch}&distro={base.codename}"
    )


def wheel_purl(wheel: Wheel) -> str:
    """Return the package URL of a wheel."""
    return f"pkg:pypi/{wheel.name}@{quote(wheel.version, safe='')}"


def _debs(packages: Sequence[Deb], base: Base, layer: Path) -> Iterator[Component]:
    copyrights, sources = _read_root(layer)
    for deb in packages:
        text = copyrights.get(deb.name)
        licence, why = (
            licences.of_debian(text)
            if text is not None
            else (licences.NOASSERTION, "the package has no copyright file")
        )
        yield Component(
            purl=deb_purl(deb, base),
            name=deb.name,
            version=deb.version,
            file_name=deb.file_name,
            sha256=deb.sha256,
            licence=licence,
            licence_source=why,
            source=sources.get(deb.name, f"{deb.name} {deb.version}"),
        )


def _read_root(layer: Path) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the copyright file and the source of each Debian package in a root file system."""
    texts: dict[str, str] = {}
    links: dict[str, str] = {}
    status = ""
    with tarfile.open(layer) as tar:
        for member in tar:
            path = posixpath.normpath(member.name)
            if member.isfile() and (path == STATUS or _is_copyright(path)):
                file = tar.extractfile(member)
                assert file
                text = file.read().decode(errors="replace")
                if path == STATUS:
                    status = text
                else:
                    texts[path] = text
            elif member.issym() and path.startswith(f"{DOC}/"):
                links[path] = posixpath.join(posixpath.dirname(path), member.linkname)
            elif member.islnk() and _is_copyright(path):
                links[path] = posixpath.normpath(member.linkname)
    sources = dict(_sources(status))
    found = {name: _follow(f"{DOC}/{name}/copyright", texts, links) for name in sources}
    return {name: text for name, text in found.items() if text is not None}, sources


def _is_copyright(path: str) -> bool:
    return re.fullmatch(rf"{DOC}/[^/]+/copyright", path) is not None


def _follow(path: str, texts: Mapping[str, str], links: Mapping[str, str]) -> str | None:
    """Return the text that a path leads to: packages of one source share a folder, or a file."""
    for _ in range(5):
        if path in texts:
            return texts[path]
        folder, name = posixpath.split(path)
        path = links.get(path) or posixpath.join(links.get(folder, folder), name)
        path = posixpath.normpath(path)
    return None


def _sources(status: str) -> Iterator[tuple[str, str]]:
    """Yield each installed package's name, and its source package with its version.

    https://www.debian.org/doc/debian-policy/ch-controlfields.html#source
    """
    for paragraph in status.split("\n\n"):
        fields = dict(re.findall(r"^(Package|Source|Version): (.*)$", paragraph, re.MULTILINE))
        if "Package" in fields:
            named = str(fields.get("Source", fields["Package"]))
            source, _, version = named.partition(" ")
            yield fields["Package"], f"{source} {version.strip('()') or fields['Version']}"


def _wheel(wheel: Wheel) -> Component:
    licence, why = licences.of_wheel(metadata(wheel))
    return Component(
        purl=wheel_purl(wheel),
        name=wheel.name,
        version=wheel.version,
        file_name=wheel.file_name,
        sha256=wheel.sha256,
        licence=licence,
        licence_source=why,
    )
