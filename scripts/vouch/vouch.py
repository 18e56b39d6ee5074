"""What is said of an image beside the image: in a folder or a registry, and verified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.build import record
from scripts.build.build import Built
from scripts.contents import sbom
from scripts.engine import image_store
from scripts.engine.engine import Engine
from scripts.errors import KitError
from scripts.matrix import Chosen
from scripts.registry.api import Repository
from scripts.registry.referrers import Artefact, read, referrers
from scripts.tags import names_of
from scripts.ui import say
from scripts.vouch import provenance, signing

PROVENANCE, SIGNATURE = "provenance.json", "provenance.dsse.json"
# As registries and their tools know them: https://www.iana.org/assignments/media-types for SPDX,
# CycloneDX and in-toto; the envelope's is DSSE's own.
MEDIA_TYPES = {
    sbom.SPDX: "application/spdx+json",
    sbom.CYCLONEDX: "application/vnd.cyclonedx+json",
    PROVENANCE: "application/vnd.in-toto+json",
    SIGNATURE: "application/vnd.dsse.envelope.v1+json",
}


def artefacts(
    chosen: Chosen,
    built: Built,
    *,
    manifest_digest: str | None = None,
    key: Path | None = None,
) -> tuple[Artefact, ...]:
    """Return what belongs to an image: both bills, its provenance and, with a key, the signature.

    Args:
        chosen: which image.
        built: the image in the engine.
        manifest_digest: of the image in the registry, `sha256:…`, where it is in one.
        key: the private key to sign with.

    Raises:
        KitError: the key cannot be used.
    """
    statement = provenance.render(provenance.statement(chosen, built, manifest_digest))
    files = {**built.materials.documents, PROVENANCE: statement}
    if key:
        files[SIGNATURE] = signing.sign(statement, key)
    return typed(files)


def typed(files: Mapping[str, bytes]) -> tuple[Artefact, ...]:
    """Return files, by their names, with the types that registries know them by."""
    return tuple(
        Artefact(MEDIA_TYPES[name], MEDIA_TYPES[name], name, data) for name, data in files.items()
    )


def write(found: Sequence[Artefact], folder: Path) -> None:
    """Write artefacts into a folder, each under its name.

    Raises:
        KitError: the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in found:
            (folder / one.file_name).write_bytes(one.content)
            say(f"{folder / one.file_name} is written, {len(one.content)} bytes")
    except OSError as error:
        raise KitError(f"{folder}: {error.strerror}; VOUCHED= names another folder") from error


def verify_files(chosen: Chosen, host: Engine, key: Path, folder: Path) -> None:
    """Verify the signature in a folder against the image that is in the engine.

    Raises:
        NotVouchedError: it is missing, or is not what it should be.
        KitError: the image is not in the engine, or the key cannot be read.
    """
    path = folder / SIGNATURE
    try:
        envelope = path.read_bytes()
    except OSError as error:
        raise signing.NotVouchedError(
            f"{path}: {error.strerror}; the image is not signed: "
            f"`make sign IMAGE={chosen.tag}` signs it"
        ) from error
    name, config_digest = in_engine(chosen, host)
    verify(envelope, key, config_digest, name, str(path))


def verify_published(chosen: Chosen, key: Path) -> None:
    """Verify the signature of an image that is in the registry, before it is pulled.

    The engine that pulls it checks the layers against the configuration, which is what is signed.

    Raises:
        NotVouchedError: it is missing, or is not what it should be.
        KitError: the image is not in the registry, or the key cannot be read.
    """
    tag, family = chosen.tag, chosen.family
    repository = Repository(family.registry, family.name)
    name = names_of(chosen)[0]
    manifest = repository.manifest(name.rpartition(":")[2])
    if manifest is None:
        raise KitError(f"{name} is not in the registry; `make publish IMAGE={tag}` pushes it")
    where = f"{repository}@{manifest.digest}"
    config_digest = manifest.json.get("config", {}).get("digest", "no image")
    refused = signing.NotVouchedError(
        f"{where}: the image is not signed: `make publish IMAGE={tag} KEY=` signs what it pushes"
    )
    for descriptor in referrers(repository, manifest.digest, MEDIA_TYPES[SIGNATURE]):
        try:
            return verify(read(repository, descriptor).content, key, config_digest, name, where)
        except signing.NotVouchedError as error:
            refused = error
    raise refused


def verify(envelope: bytes, key: Path, config_digest: str, name: str, where: str) -> None:
    """Verify a signature, wherever it was read from, and say whose it is.

    Args:
        envelope: the DSSE envelope.
        key: the file of the public key of who is trusted.
        config_digest: the image's identity, `sha256:…`.
        name: what to call the image.
        where: what to call the envelope.

    Raises:
        NotVouchedError: it is not what it should be.
    """
    statement = signing.verify(envelope, key, config_digest, where)
    made = statement.get("predicate", {}).get("runDetails", {})
    builder = made.get("builder", {}).get("id", "an unnamed builder")
    say(f"{name}: {config_digest} is signed with {key}, built by {builder}", style="bold green")


def in_engine(chosen: Chosen, host: Engine) -> tuple[str, str]:
    """Return the name and the config digest of an image that is in the engine.

    Raises:
        KitError: it is not there.
    """
    name = names_of(chosen)[0]
    image_id = image_store.named(host, name)
    if image_id is None:
        raise KitError(f"{name} is not in the engine; `make image IMAGE={chosen.tag}` builds it")
    return name, record.config_digest(host, image_id)
