"""Verbs that vouch for images, and bring them to their users."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scripts import matrix
from scripts.command_line import verb
from scripts.places import exclusive
from scripts.ui import say
from scripts.verbs.common import ImageTag, at_work

VOUCHED = Path("vouched")
Into = Annotated[Path, typer.Option(help="The folder of the images' folders of artefacts.")]


@verb
def sbom(image: ImageTag = "2.15-cpu", into: Into = VOUCHED) -> None:
    """Build an image and write its bills of materials, checked against their schemas."""
    from scripts.build import build as builder
    from scripts.contents import sbom as bills
    from scripts.vouch import vouch

    images = matrix.load().choose(image)
    with at_work() as host:
        for one in images:
            documents = builder.build(one, host).materials.documents
            bills.validate(documents)
            vouch.write(vouch.typed(documents), into / one.tag)


@verb
def sign(
    image: ImageTag = "2.15-cpu",
    into: Into = VOUCHED,
    key: Annotated[Path | None, typer.Option(help="Private key; none writes no signature.")] = None,
) -> None:
    """Build an image, write its bills and its provenance, and sign that."""
    from scripts.build import build as builder
    from scripts.vouch import vouch

    images = matrix.load().choose(image)
    with at_work() as host:
        for one in images:
            built = builder.build(one, host)
            vouch.write(vouch.artefacts(one, built, key=key), into / one.tag)


@verb
def sign_key(key: Path) -> None:
    """Make a key pair to sign images with."""
    from scripts.vouch import signing

    public = signing.make_key(key)
    say(f"{key} is made: keep it to yourself; {public} is for everybody who verifies")


@verb
def verify_signature(
    key: Annotated[Path, typer.Option(help="The public key of who is trusted.")],
    image: ImageTag = "2.15-cpu",
    into: Into = VOUCHED,
) -> None:
    """Verify that an image is the one that was signed: in the registry, if one is named."""
    from scripts.vouch import vouch

    images = matrix.load().choose(image)
    if images[0].family.registry:
        with exclusive():
            for one in images:
                vouch.verify_published(one, key)
        return
    with at_work() as host:
        for one in images:
            vouch.verify_files(one, host, key, into / one.tag)


@verb
def audit_cve(image: ImageTag = "2.15-cpu") -> None:
    """Ask the public databases which vulnerabilities are known in what an image holds."""
    from scripts.vouch import audit_cve as audits

    images = matrix.load().choose(image)
    with exclusive():
        outcomes = [audits.audit(one) for one in images]
    for outcome in (audits.FOUND, audits.NOT_REACHED):
        if outcome in outcomes:
            raise typer.Exit(outcome)


@verb
def publish(
    image: ImageTag = "2.15-cpu",
    compression: Annotated[str, typer.Option(help="Of the layers: zstd or gzip.")] = "zstd",
    key: Annotated[Path | None, typer.Option(help="Private key; none signs nothing.")] = None,
) -> None:
    """Push an image under all its tags, if it is what its locks say."""
    from scripts.publish import publish as publication
    from scripts.registry.compression import chosen

    images, packed = matrix.load().choose(image), chosen(compression)
    for one in images:
        publication.require_ready(one, key)
    with at_work() as host:
        for one in images:
            publication.publish(one, host, packed, key)


@verb
def changelog(
    before: Annotated[str, typer.Argument(help="A tag or digest in the registry.")],
    after: Annotated[str, typer.Argument(help="Another.")],
) -> None:
    """Say what changed between two published images."""
    from scripts.publish import changelog as changes

    known = matrix.load()
    changes.show(changes.changelog(known.family, before, after))
    say(changes.bits(known, before, after))
