"""`make publish`: an image goes to the registry if it is what its locks say, to the last byte."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scripts import tags
from scripts.build import build, rebuild
from scripts.engine import image_store
from scripts.engine.engine import Engine
from scripts.errors import KitError
from scripts.matrix import Chosen
from scripts.places import REPO, require_disk, scratch
from scripts.processes import require_program, run
from scripts.registry import push
from scripts.registry.api import Repository
from scripts.registry.compression import Compression
from scripts.registry.push import Pushed
from scripts.registry.referrers import Artefact
from scripts.tags import names_of
from scripts.ui import stage
from scripts.vouch import signing, vouch


def publish(
    chosen: Chosen, host: Engine, compression: Compression, key: Path | None = None
) -> Pushed:
    """Push an image under all its tags, the moving ones last, with its bills and provenance.

    It is built if it is not there yet, and rebuilt without any cache unless that was done with
    these bytes on this machine.

    Args:
        chosen: which image.
        host: the engine that has it, or builds it.
        compression: of the layers in the registry.
        key: the private key to sign its provenance with; None signs nothing.

    Raises:
        KitError: what `require_ready` raises; the image has drifted, is not what its image.lock
            names, or cannot be rebuilt; a fixed tag means other bytes; the registry refuses.
    """
    require_ready(chosen, key)
    tag = chosen.tag
    repository = Repository(chosen.family.registry, chosen.family.name)
    built = build.build(chosen, host, release=True)
    fixed, moving = (
        [
            name.rpartition(":")[2]
            for name in names_of(chosen, taggers, config_digest=built.config_digest)
        ]
        for taggers in (tags.FIXED, tags.MOVING)
    )
    # Before what takes minutes, and once more before the tags.
    push.refuse_other_bytes(repository, fixed, built.config_digest)
    if not rebuild.is_known(built.config_digest) and not rebuild.check(chosen, host):
        raise KitError(f"{tag} is not published: rebuilt from its locks it is another image")

    def attacher(pushed: Pushed) -> Sequence[Artefact]:
        digest = str(pushed.manifest["digest"])
        return vouch.artefacts(chosen, built, manifest_digest=digest, key=key)

    image_id = image_store.named(host, built.name)
    assert image_id
    with scratch() as work:
        # The engine counts an image packed and unpacked: an export and its largest layer are less.
        gigabytes = image_store.inspect(host, image_id)["Size"] / 1e9
        require_disk(work, gigabytes, f"publishing {tag}")
        with stage(f"exporting {built.name}"):
            image = image_store.export(host, image_id, work / "image")
        if image.config_digest != built.config_digest:
            raise KitError(f"{built.name} is {image.config_digest} by now: somebody else built it")
        return push.push(
            tag,
            image,
            repository,
            compression,
            fixed=fixed,
            moving=moving,
            attachers=[attacher],
        )


def require_ready(chosen: Chosen, key: Path | None = None) -> None:
    """Raise KitError if an image cannot be published from here: before what takes minutes.

    There is no registry to push to, the tree is not a commit, or the key cannot be used.
    """
    if not chosen.family.registry:
        raise KitError(
            "no registry to publish to; name one in images/matrix.toml ([family] registry), or "
            "as REGISTRY=registry.example"
        )
    require_commit(REPO)
    if key:
        signing.sign(b"", key)


def require_commit(folder: Path) -> None:
    """Raise KitError unless a folder is a git checkout without a change.

    Files that git does not know count as a change, for the build might read them.
    """
    require_program("git", "apt-get install git")
    changed = run(
        ["git", "-C", folder, "status", "--porcelain"],
        error=f"{folder}: what is published has to be a commit",
    ).splitlines()
    if changed:
        raise KitError(
            f"{folder}: {len(changed)} files are not as they were committed, {changed[0][3:]} "
            "among them; commit them or put them aside (`git stash -u`)"
        )
