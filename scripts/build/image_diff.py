"""Where two images differ: in their configuration, and layer by layer, file by file.

Two layers of one diff id are equal; of others every file is compared by what a tar says of it.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from scripts.oci import Layout

ABSENT = "(none)"


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same in both; `layer` is 0 for the configuration."""

    layer: int
    path: str
    attribute: str
    one: str
    other: str


def differences(one: Layout, other: Layout) -> Iterator[Difference]:
    """Yield every difference, the configuration's first, then from the lowest layer up.

    Args:
        one: an image whose layers are tars, compressed or not.
        other: the image that it is compared with.
    """
    yield from _mapping_differences(0, "config", _flat(one.config), _flat(other.config))
    layers = list(zip(_layers(one), _layers(other), strict=False))
    for number, ((diff_id, tar), (other_diff_id, other_tar)) in enumerate(layers, 1):
        if diff_id != other_diff_id:
            ours, theirs = files(tar), files(other_tar)
            for path in sorted(ours.keys() | theirs.keys()):
                yield from _mapping_differences(
                    number, path, ours.get(path, {}), theirs.get(path, {})
                )
            if list(ours) != list(theirs):
                yield Difference(number, "(layer)", "order of files", "", "")


def files(tar: Path) -> dict[str, dict[str, str]]:
    """Return what a layer's tar says of every file: path -> attribute -> value, in its order.

    The content is a SHA-256, the time is in seconds since 1970.
    """
    found = {}
    with tarfile.open(tar) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            found[member.name] = {
                "type": member.type.decode(),
                "mode": f"{member.mode:04o}",
                "owner": f"{member.uid}:{member.gid}",
                "mtime": str(member.mtime),
                "link": member.linkname,
                "size": str(member.size),
                "content": _sha256(content) if content else "",
                "extended": str(sorted(member.pax_headers.items())),
            }
    return found


def _sha256(content: IO[bytes]) -> str:
    return hashlib.file_digest(cast("io.BufferedReader", content), "sha256").hexdigest()


def _layers(image: Layout) -> list[tuple[str, Path]]:
    blobs = [image.blob(layer["digest"]) for layer in image.manifest["layers"]]
    return list(zip(image.config["rootfs"]["diff_ids"], blobs, strict=True))


def _mapping_differences(
    layer: int, path: str, one: Mapping[str, str], other: Mapping[str, str]
) -> Iterator[Difference]:
    if not one or not other:
        yield Difference(layer, path, "present", str(bool(one)), str(bool(other)))
        return
    for attribute in dict.fromkeys([*one, *other]):
        ours, theirs = one.get(attribute, ABSENT), other.get(attribute, ABSENT)
        if ours != theirs:
            yield Difference(layer, path, attribute, ours, theirs)


def _flat(value: Any, name: str = "") -> dict[str, str]:  # noqa: ANN401 - JSON
    """Return a JSON value's leaves by their path.

    >>> _flat({"config": {"Env": ["A=1"]}, "os": "linux"})
    {'config.Env.0': 'A=1', 'os': 'linux'}
    """
    if isinstance(value, dict):
        items = [(str(key), inner) for key, inner in value.items()]
    elif isinstance(value, list):
        items = [(str(number), inner) for number, inner in enumerate(value)]
    else:
        return {name: str(value)}
    return {
        leaf: text
        for key, inner in items
        for leaf, text in _flat(inner, f"{name}.{key}" if name else key).items()
    }
