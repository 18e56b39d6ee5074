"""Which images this data root has built: by what they were made of, and by what they are.

Not by the image's labels: an image that a user derives from ours inherits them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from scripts.build.bake import Digests
from scripts.engine import image_store
from scripts.engine.engine import Engine
from scripts.errors import KitError
from scripts.places import data_folder, scratch
from scripts.ui import stage


@dataclass(frozen=True)
class Image:
    """An image in an engine: the engine's id of it, and its config digest, which is its identity.

    Engines show the manifest's digest as the id, or with the classic image store the config's.
    """

    image_id: str
    config: str


def known(host: Engine, inputs: str) -> Image | None:
    """Return the image that was built of `inputs`, if the engine still has it."""
    record = _record(inputs)
    if not record.exists():
        return None
    image = Image(*record.read_text().split())
    return image if image_store.has(host, image.image_id) else None


def remember(host: Engine, inputs: str, made: Digests) -> Image:
    """Take down what was built of `inputs`.

    Raises:
        KitError: the engine does not have it after all.
    """
    for image_id in (made.manifest, made.config):
        if image_store.has(host, image_id):
            _record(inputs).write_text(f"{image_id} {made.config}\n")
            return Image(image_id, made.config)
    raise KitError(f"{host.host}: the engine does not show what it has built; try again")


def finished(inputs: str) -> datetime:
    """Return when the image of `inputs` was built here, in UTC."""
    return datetime.fromtimestamp(_record(inputs).stat().st_mtime, UTC)


def config_digest(host: Engine, image_id: str) -> str:
    """Return the config digest of any image in the engine, which itself does not tell it."""
    for record in data_folder("built").iterdir():
        known_id, _, config = record.read_text().strip().partition(" ")
        if known_id == image_id:
            return config
    with stage("reading the image's config digest"), scratch() as work:
        return image_store.export(host, image_id, work / "image").config_digest


def _record(inputs: str) -> Path:
    return data_folder("built") / inputs.removeprefix("sha256:")
