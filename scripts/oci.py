"""OCI image layouts: images as a folder of content-addressed blobs.

https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scripts.digests import sha256

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True)
class Layout:
    """A layout on disk that holds one image; all digests are `sha256:<hex>`."""

    folder: Path

    @property
    def manifest_digest(self) -> str:
        """The digest of the manifest. It moves with the compression of the layers."""
        index = json.loads((self.folder / "index.json").read_text())
        while True:
            # Beside an image an index may name attestations, of platform unknown.
            descriptor = next(
                one
                for one in index["manifests"]
                if one.get("platform", {}).get("architecture") != "unknown"
            )
            digest = str(descriptor["digest"])
            if descriptor["mediaType"] != INDEX:
                return digest
            index = self._json(digest)

    @property
    def manifest(self) -> dict[str, Any]:
        """The image's manifest."""
        return self._json(self.manifest_digest)

    @property
    def config_digest(self) -> str:
        """The image's identity: it covers ENV, labels, history and every layer's content."""
        return str(self.manifest["config"]["digest"])

    @property
    def config(self) -> dict[str, Any]:
        """The image's configuration."""
        return self._json(self.config_digest)

    @property
    def layers(self) -> tuple[Path, ...]:
        """The files of the layers, the lowest first."""
        return tuple(self.blob(layer["digest"]) for layer in self.manifest["layers"])

    def blob(self, digest: str) -> Path:
        """Return the file of a blob."""
        return self.folder / "blobs" / digest.replace(":", "/")

    def _json(self, digest: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.blob(digest).read_text())
        return content


def write_layout(folder: Path, *, layer: Path, epoch: int, made_by: str) -> Layout:
    """Make a layout with an image of one layer.

    Args:
        folder: an empty folder.
        layer: an uncompressed tar; it is moved into the layout.
        epoch: the time that the image carries, in seconds since 1970.
        made_by: what the image's history says.
    """
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)
    diff_id, size = sha256(layer), layer.stat().st_size
    layer.rename(blobs / diff_id)
    created = datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    config = _write_json(
        blobs,
        {
            "architecture": "amd64",
            "os": "linux",
            "created": created,
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff_id}"]},
            "history": [{"created": created, "created_by": made_by}],
        },
    )
    manifest = _write_json(
        blobs,
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, **config},
            "layers": [{"mediaType": LAYER, "digest": f"sha256:{diff_id}", "size": size}],
        },
    )
    index = {"schemaVersion": 2, "manifests": [{"mediaType": MANIFEST, **manifest}]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))
    return Layout(folder)


def _write_json(blobs: Path, content: object) -> dict[str, str | int]:
    data = json.dumps(content, sort_keys=True).encode()
    digest = hashlib.sha256(data).hexdigest()
    (blobs / digest).write_bytes(data)
    return {"digest": f"sha256:{digest}", "size": len(data)}
