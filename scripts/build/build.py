"""`make image`: from locks to an image in the engine, all at once or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts import oci
from scripts.build import bake_file, record, rootfs
from scripts.build.bake import bake
from scripts.build.one_processor import document
from scripts.contents import golden, sbom
from scripts.engine import image_store
from scripts.engine.engine import Engine
from scripts.locks import debs, image_lock, wheels
from scripts.locks.apt import Deb
from scripts.locks.lock import DEBS_LOCK, REQUIREMENTS_LOCK
from scripts.locks.wheels import Wheel
from scripts.matrix import Chosen
from scripts.places import IMAGES, data_folder, require_disk
from scripts.tags import names_of
from scripts.ui import say

# Measured for a CPU image of 1.5 GB, from nothing: 0.3 GB of engine, 0.4 of downloads, 0.3 of root
# file system, and the layers in the engine twice, packed and unpacked, beside the build cache.
DISK_GB = 8.0


@dataclass(frozen=True)
class Materials:
    """What an image is made of, and what the kit says of it in the image itself.

    Attributes:
        debs: its Debian packages.
        wheels: its wheels.
        documents: the files of /opt/tf-repro/share, by name.
    """

    debs: Sequence[Deb]
    wheels: Sequence[Wheel]
    documents: Mapping[str, bytes]


@dataclass(frozen=True)
class Built:
    """An image in the engine."""

    names: tuple[str, ...]
    config_digest: str
    digests: Mapping[str, str]
    materials: Materials
    inputs: str
    drift: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name to run it by."""
        return self.names[0]


@dataclass(frozen=True)
class Prepared:
    """All that an image is made of, on this machine, and who builds it."""

    builder: str
    target: bake_file.Target
    names: tuple[str, ...]
    drift: tuple[str, ...]
    materials: Materials


def prepare(
    chosen: Chosen, host: Engine, *, release: bool = False, new_rootfs: Path | None = None
) -> Prepared:
    """Obtain what the locks name, make the root file system and describe the build.

    Args:
        chosen: which image.
        host: the engine that it is for.
        release: whether a Debian package that is nowhere to be had stops the build (see `debs`).
        new_rootfs: make the root file system in this folder, even if there is one from before.

    Raises:
        KitError: anything that the user can mend.
    """
    tag, base = chosen.tag, chosen.base
    require_disk(data_folder("."), DISK_GB, f"building {tag}")
    image_store.require_disk(host, DISK_GB, f"building {tag}")
    builder = image_store.reproducible_builder(host)

    packages = debs.obtain(debs.read_lock(IMAGES / tag / DEBS_LOCK), base, release=release)
    locked = wheels.read_lock(IMAGES / tag / REQUIREMENTS_LOCK)
    wheels.obtain(locked, base)
    epoch = chosen.family.source_date_epoch
    if new_rootfs:
        rootfs.make(packages.debs, base, epoch, new_rootfs)
    layer = new_rootfs or rootfs.build(packages.debs, base, epoch)

    root = oci.Layout(layer)
    made = {document.NAME: document.made(locked)}
    documents = sbom.make(chosen, packages.debs, locked, root.layers[0], made)
    share = {
        **documents,
        **made,
        golden.NAME: golden.published(golden.read(golden.path(tag))),
    }
    target = bake_file.make(chosen, root, locked, packages.drift, share)
    names = names_of(chosen, drifted=bool(packages.drift))
    materials = Materials(packages.debs, locked, documents)
    return Prepared(builder, target, names, packages.drift, materials)


def build(chosen: Chosen, host: Engine, *, release: bool = False) -> Built:
    """Build an image, load it into the engine under all its tags, and compare it with its lock.

    An image that is there already and was made of the same inputs is left as it is. See `prepare`
    for the arguments and what is raised; a release build is also stopped by another image than the
    locked one.
    """
    ready = prepare(chosen, host, release=release)
    target, names = ready.target, ready.names
    if made := record.known(host, target.inputs):
        say(f"{names[0]} is up to date: {made.config}")
    else:
        made = record.remember(host, target.inputs, bake(host, ready.builder, target))
        say(f"{' and '.join(names)}: {made.config}")
    found = image_lock.digests(made.config, image_store.inspect(host, made.image_id))
    if not ready.drift:
        image_lock.check(chosen.tag, found, release=release)
    image_store.tag(host, made.image_id, names)
    return Built(names, made.config, found, ready.materials, target.inputs, ready.drift)
