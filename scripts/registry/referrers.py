"""What is attached to an image in its registry: SBOMs, provenance, signatures, as OCI referrers.

Each artefact is a manifest of its own that names the image as its subject. A registry that knows
the referrers API lists them; for any other, the client keeps the list under a tag.
https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scripts import oci
from scripts.errors import KitError
from scripts.registry.api import Descriptor, Manifest, Repository

# An artefact has no configuration: the specification's own empty value stands for it.
# https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidance-for-an-empty-descriptor
EMPTY = b"{}"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
TITLE = "org.opencontainers.image.title"


class Artefact(NamedTuple):
    """One file about an image: what kind of thing it is, in which format, and its content."""

    artifact_type: str
    media_type: str
    file_name: str
    content: bytes


def attach(
    repository: Repository,
    subject: Descriptor,
    artefacts: Iterable[tuple[str, str, str, bytes]],
) -> list[Descriptor]:
    """Push artefacts that refer to an image, and list them where the registry does not.

    Equal content makes an equal manifest, so that attaching the same again changes nothing.

    Args:
        repository: where the image is.
        subject: the descriptor of its manifest: mediaType, digest and size.
        artefacts: each an `Artefact`, or a plain tuple of the same.

    Returns:
        The artefacts' descriptors, as `referrers` lists them.
    """
    listed = [_push(repository, subject, Artefact(*artefact)) for artefact in artefacts]
    unlisted = [descriptor for descriptor, known in listed if not known]
    if unlisted:
        _list_by_tag(repository, str(subject["digest"]), unlisted)
    return [descriptor for descriptor, _ in listed]


def referrers(
    repository: Repository, digest: str, artifact_type: str | None = None
) -> list[Descriptor]:
    """Return the descriptors of what refers to a manifest, of one kind or of all.

    Args:
        repository: where the manifest is.
        digest: of the manifest.
        artifact_type: the kind.
    """
    index = repository.referrers_index(digest) or repository.manifest(_tag(digest))
    found = index.json["manifests"] if index else []
    return [one for one in found if artifact_type in {None, one.get("artifactType")}]


def read(repository: Repository, descriptor: Descriptor) -> Artefact:
    """Return the artefact that a descriptor of `referrers` names, checked against its digests.

    Raises:
        KitError: it is not there, or is not an artefact of one file.
    """
    manifest = repository.manifest(str(descriptor["digest"]))
    if manifest is None or len(manifest.json.get("layers", [])) != 1:
        raise KitError(f"{repository}@{descriptor['digest']}: not an artefact of one file")
    (layer,) = manifest.json["layers"]
    return Artefact(
        manifest.json.get("artifactType", ""),
        layer["mediaType"],
        layer.get("annotations", {}).get(TITLE, ""),
        repository.read_blob(layer["digest"]),
    )


def _push(
    repository: Repository, subject: Descriptor, artefact: Artefact
) -> tuple[Descriptor, bool]:
    """Push one artefact; return its descriptor, and whether the registry lists it."""
    config = {"mediaType": EMPTY_TYPE, **repository.push_bytes(EMPTY)}
    layer = {"mediaType": artefact.media_type, **repository.push_bytes(artefact.content)}
    content = {
        "schemaVersion": 2,
        "mediaType": oci.MANIFEST,
        "artifactType": artefact.artifact_type,
        "config": config,
        "layers": [{**layer, "annotations": {TITLE: artefact.file_name}}],
        "subject": {key: subject[key] for key in ("mediaType", "digest", "size")},
        "annotations": {TITLE: artefact.file_name},
    }
    manifest = Manifest(json.dumps(content, sort_keys=True).encode(), oci.MANIFEST)
    known = repository.put_manifest(manifest)
    # The list says of each what its manifest says of itself.
    about = {key: content[key] for key in ("artifactType", "annotations")}
    return {**manifest.descriptor, **about}, known


def _list_by_tag(repository: Repository, digest: str, added: Sequence[Descriptor]) -> None:
    before = repository.manifest(_tag(digest))
    listed = {one["digest"]: one for one in (before.json["manifests"] if before else [])}
    listed |= {one["digest"]: one for one in added}
    index = {"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": list(listed.values())}
    after = Manifest(json.dumps(index, sort_keys=True).encode(), oci.INDEX)
    if before is None or before.digest != after.digest:
        repository.put_manifest(after, _tag(digest))


def _tag(digest: str) -> str:
    """Return the tag of the list where the registry keeps none.

    >>> _tag("sha256:0123")
    'sha256-0123'
    """
    return digest.replace(":", "-", 1)[:128]
