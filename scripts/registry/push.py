"""Pushing an image: layers, configuration, manifest, what is attached to it, and last the tags.

Whatever moment it is stopped at, the tags that people follow still mean what they meant, and the
same command goes on from there: what the registry has is asked of it, and skipped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts import oci
from scripts.digests import sha256
from scripts.errors import KitError
from scripts.places import data_folder, scratch
from scripts.registry.api import Descriptor, Manifest, Repository
from scripts.registry.compression import MEDIA_TYPES, Compression, compress
from scripts.registry.referrers import attach
from scripts.ui import download_bar, say


@dataclass(frozen=True)
class Pushed:
    """An image of which everything is in the registry, except for its tags.

    Attributes:
        tag: of images/matrix.toml.
        image: the same image on this machine.
        repository: where it is.
        manifest: the descriptor of its manifest there.
    """

    tag: str
    image: oci.Layout
    repository: Repository
    manifest: Descriptor


# It returns what is to be attached to an image: (artifact type, media type, file name, content).
Attacher = Callable[[Pushed], Sequence[tuple[str, str, str, bytes]]]


def push(
    tag: str,
    image: oci.Layout,
    repository: Repository,
    compression: Compression,
    *,
    fixed: Sequence[str],
    moving: Sequence[str],
    attachers: Sequence[Attacher] = (),
) -> Pushed:
    """Push an image under its tags.

    Args:
        tag: of images/matrix.toml.
        image: the image, its layers uncompressed.
        repository: where to.
        compression: of the layers there.
        fixed: the tags that never come to mean other bytes.
        moving: the tags that move to this image, when everything else is in place.
        attachers: who says what is attached to it.

    Raises:
        KitError: a fixed tag means another image, or the registry refuses.
    """
    refuse_other_bytes(repository, fixed, image.config_digest)
    manifest = Manifest(_manifest(image, repository, compression), oci.MANIFEST)
    repository.put_manifest(manifest)
    pushed = Pushed(tag, image, repository, manifest.descriptor)
    for attacher in attachers:
        attach(repository, manifest.descriptor, attacher(pushed))
    # Somebody else may have published meanwhile.
    refuse_other_bytes(repository, fixed, image.config_digest)
    for name in (*fixed, *moving):
        _point(repository, name, manifest)
    say(f"{repository}@{manifest.digest}: {', '.join((*fixed, *moving))}")
    return pushed


def refuse_other_bytes(repository: Repository, fixed: Sequence[str], config_digest: str) -> None:
    """Raise KitError if one of these tags is in the registry and means another image."""
    for name in fixed:
        there = repository.manifest(name)
        found = there and there.json.get("config", {}).get("digest", "another kind of thing")
        if found and found != config_digest:
            raise KitError(
                f"{repository}:{name} is {found} and never comes to mean other bytes, and this "
                f"image is {config_digest}; publish it under another name (IMAGE_NAME)"
            )


def _manifest(image: oci.Layout, repository: Repository, compression: Compression) -> bytes:
    """Push the image's layers and configuration; return the manifest that names them."""
    diff_ids = image.config["rootfs"]["diff_ids"]
    pushed = [
        _push_layer(
            image.blob(diff_id), f"layer {number} of {len(diff_ids)}", repository, compression
        )
        for number, diff_id in enumerate(diff_ids, 1)
    ]
    config = repository.push_bytes(image.blob(image.config_digest).read_bytes())
    content = {
        "schemaVersion": 2,
        "mediaType": oci.MANIFEST,
        "config": {"mediaType": oci.CONFIG, **config},
        "layers": [{"mediaType": MEDIA_TYPES[compression], **layer} for layer in pushed],
    }
    return json.dumps(content, sort_keys=True).encode()


def _push_layer(
    tar: Path, title: str, repository: Repository, compression: Compression
) -> Mapping[str, str | int]:
    """Compress and push one layer; nothing of it if it was pushed before and is still there."""
    if not tar.exists():
        raise KitError(f"{title}: the engine gave it compressed, and not as the kit builds it")
    record = data_folder("layers") / f"{tar.name}.{compression}"
    if record.exists():
        known: dict[str, str | int] = json.loads(record.read_text())
        if repository.has_blob(str(known["digest"])):
            say(f"{title}: {repository.registry} has it")
            return known
    with scratch() as work:
        packed = work / "packed"
        with download_bar(f"{title}: {compression}", tar.stat().st_size) as bar:
            task = bar.task_ids[0]
            compress(tar, packed, compression, lambda n: bar.advance(task, n))
        digest = f"sha256:{sha256(packed)}"
        layer: dict[str, str | int] = {"digest": digest, "size": packed.stat().st_size}
        if not repository.has_blob(digest):
            with download_bar(f"{title}: to {repository.registry}", packed.stat().st_size) as bar:
                task = bar.task_ids[0]
                repository.push_blob(packed, digest, lambda n: bar.advance(task, n))
    record.write_text(json.dumps(layer))
    return layer


def _point(repository: Repository, name: str, manifest: Manifest) -> None:
    """Let a tag mean a manifest; a tag that does already is left alone, as some registries want."""
    there = repository.manifest(name)
    if there is None or there.digest != manifest.digest:
        repository.put_manifest(manifest, name)
