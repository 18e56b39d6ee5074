"""`make changelog`: what changed between two published images, read out of the registry.

The configuration says ENV, labels and the rest; the packages are read from the image's own files,
out of the layers that hold them and no further than they are.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO

from packaging.utils import canonicalize_name
from rich.console import Console
from rich.table import Table

from scripts.contents import golden
from scripts.errors import KitError
from scripts.locks.lock import moves
from scripts.matrix import Family, Matrix
from scripts.registry.api import Descriptor, Manifest, Repository
from scripts.registry.compression import unpacked
from scripts.tags import SHORT_DIGEST, Subject, exact_release
from scripts.ui import say, stage

# Which packages an image has, by its own word. dpkg's is in the lowest layer, pip's in one of the
# highest, before the packages themselves. Starting at that end spares the large ones.
DEBS = "var/lib/dpkg/status"
WHEELS = "opt/tf-repro/requirements.lock"
PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)", re.MULTILINE)
WIDTH = 160


@dataclass(frozen=True)
class Change:
    """One thing that came, went or moved, as in `deb tar`, `env.LANG` or `size`."""

    name: str
    before: str
    after: str


def changelog(family: Family, before: str, after: str) -> list[Change]:
    """Compare two images of the family's repository.

    Args:
        family: it names the repository.
        before: a tag or a digest.
        after: another.

    Raises:
        KitError: there is no registry, or one of the images is not in it.
    """
    if not family.registry:
        raise KitError("no registry to read from; name it as REGISTRY=registry.example")
    repository = Repository(family.registry, family.name)
    found = []
    for reference in (before, after):
        with stage(f"reading {repository}:{reference}"):
            found.append(_facts(repository, reference))
    return [Change(*move) for move in moves(*found)]


def bits(known: Matrix, before: str, after: str) -> str:
    """Return in a line whether the example ends with other bits, by what the family publishes.

    Args:
        known: the family.
        before: a tag of it; of a digest nothing is known.
        after: another.

    Raises:
        KitError: a golden.json cannot be read.
    """
    tags = {
        name: one.tag
        for one in known.choose("all")
        for name in (one.tag, exact_release(Subject(one.image, one.newest)))
    }
    weights = []
    for name in (before, after):
        published = golden.read(golden.path(tags[name])) if name in tags else None
        if published is None:
            return f"whether the example's bits moved is not known: none are published of {name}"
        weights.append(published.digits[0].weights[:SHORT_DIGEST])
    if weights[0] == weights[1]:
        return f"the example ends with the same bits, {weights[0]}"
    return f"the example ends with other bits: {weights[0]} -> {weights[1]}"


def show(changes: Iterable[Change]) -> None:
    """Print changes as a table, or that there are none."""
    out = Console()
    if not out.is_terminal:
        out.width = WIDTH
    table = Table("what", "from", "to")
    for change in changes:
        table.add_row(change.name, change.before, change.after)
    if table.row_count:
        out.print(table)
    else:
        say("they are the same image")


def _facts(repository: Repository, reference: str) -> dict[str, str]:
    """Return what is compared of an image, by name."""
    manifest = repository.manifest(reference)
    if manifest is None:
        raise KitError(f"{repository}:{reference} is not in the registry")
    if "layers" not in manifest.json:
        raise KitError(f"{repository}:{reference} is not one image: {manifest.media_type}")
    image = repository.config(manifest)
    own = image.get("config", {})
    size = sum(int(layer["size"]) for layer in manifest.json["layers"])
    return {
        "config digest": manifest.json["config"]["digest"],
        "size to pull": f"{size / 1e6:.1f} MB",
        **{f"env {name}": value for name, value in _pairs(own.get("Env") or [])},
        **{f"label {name}": value for name, value in (own.get("Labels") or {}).items()},
        **{f"{key.lower()}": str(own[key]) for key in ("Cmd", "Entrypoint", "User") if key in own},
        **_packages(repository, manifest),
    }


def _pairs(env: Iterable[str]) -> Iterator[tuple[str, str]]:
    for pair in env:
        name, _, value = pair.partition("=")
        yield name, value


def _packages(repository: Repository, manifest: Manifest) -> dict[str, str]:
    upwards = manifest.json["layers"]
    status = _read(repository, upwards, DEBS)
    lock = _read(repository, list(reversed(upwards)), WHEELS)
    debs = {f"deb {name}": version for name, version in installed(status).items()}
    return debs | {f"wheel {name}": version for name, version in pinned(lock).items()}


def _read(repository: Repository, found_in: Iterable[Descriptor], path: str) -> str:
    """Return a text file out of the first of these layers that has it; empty if none has."""
    for layer in found_in:
        with (
            repository.blob(str(layer["digest"])) as stream,
            unpacked(stream, str(layer["mediaType"])) as tar,
        ):
            content = file_of(tar, path)
        if content is not None:
            return content.decode()
    return ""


def file_of(tar: IO[bytes], path: str) -> bytes | None:
    """Return a file of a tar that streams in, and read it no further than that."""
    with tarfile.open(fileobj=tar, mode="r|") as archive:
        for member in archive:
            if member.name.removeprefix("./") == path and (file := archive.extractfile(member)):
                return file.read()
    return None


def installed(status: str) -> Mapping[str, str]:
    r"""Return what dpkg's status file says is installed, with the versions.

    >>> installed("Package: tar\nStatus: install ok installed\nVersion: 1.34\n")
    {'tar': '1.34'}
    """
    found = {}
    for paragraph in status.split("\n\n"):
        fields = dict(
            line.split(": ", 1) for line in paragraph.splitlines() if re.match(r"^\S+: ", line)
        )
        if fields.get("Status", "").endswith(" installed"):
            found[fields["Package"]] = fields["Version"]
    return found


def pinned(lock: str) -> Mapping[str, str]:
    r"""Return the versions that a requirements file pins.

    >>> pinned("Keras==2.15.0 --hash=sha256:0\n")
    {'keras': '2.15.0'}
    """
    return {str(canonicalize_name(one["name"])): one["version"] for one in PINNED.finditer(lock)}
