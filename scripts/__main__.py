"""The kit's command line; `make help` shows the same verbs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from scripts import matrix
from scripts.command_line import main, verb
from scripts.engine import engine
from scripts.engine.engine import Engine
from scripts.errors import KitError
from scripts.places import data_root, delete_data, exclusive
from scripts.ui import say

VOUCHED = Path("vouched")
Into = Annotated[Path, typer.Option(help="The folder of the images' folders of artefacts.")]
ImageTag = Annotated[str, typer.Option("--image", help="A tag of images/matrix.toml, or all.")]


@contextmanager
def _at_work() -> Iterator[Engine]:
    """Hold the data root, which is one verb's at a time, and give an engine that answers."""
    with exclusive(), engine.connected() as host:
        yield host


@verb
def lock(image: ImageTag = "all") -> None:
    """Resolve what images/matrix.toml asks for, and write the locks."""
    from scripts.locks import lock as locks

    images = matrix.load().choose(image)
    with exclusive():
        locks.lock(images)


@verb
def build(
    image: ImageTag = "2.15-cpu",
    release: Annotated[bool, typer.Option(help="Stop where a locked package is gone.")] = False,
) -> None:
    """Build an image from its locks."""
    from scripts.build import build as builder

    images = matrix.load().choose(image)
    with _at_work() as host:
        for one in images:
            builder.build(one, host, release=release)


@verb
def lock_image(image: ImageTag = "2.15-cpu") -> None:
    """Build an image and write down which bytes it is."""
    from scripts.build import build as builder
    from scripts.locks import image_lock

    images = matrix.load().choose(image)
    with _at_work() as host:
        for one in images:
            built = builder.build(one, host)
            if built.drift:
                raise KitError(
                    f"{one.tag} has drifted from its locks; `make lock IMAGE={one.tag}` first"
                )
            say(f"{image_lock.write(one.tag, built.digests)} is written")


@verb
def sizes(image: ImageTag = "2.15-cpu") -> None:
    """Measure what an image takes on disk, and what a plain installation would."""
    from scripts.build import build as builder
    from scripts.family import sizes as measurements

    known = matrix.load()
    images = known.choose(image)
    with _at_work() as host:
        for one in images:
            size = measurements.measure(one, host, builder.build(one, host))
            measurements.write({one.tag: size}, known)


@verb
def readme() -> None:
    """Write images/README.md out of the matrix, the locks and the measured sizes."""
    from scripts.family import page

    say(f"{page.write(matrix.load())} is written")


@verb
def companions() -> None:
    """Write docs/companions.md: what pip takes of what people put on the images."""
    from scripts.family import companions as page

    today = dt.datetime.now(dt.UTC).date()
    with exclusive():
        say(f"{page.write(matrix.load(), str(today))} is written")


@verb
def rebuild_check(image: ImageTag = "2.15-cpu") -> None:
    """Build an image again without any cache, and compare every byte."""
    from scripts.build import rebuild

    images = matrix.load().choose(image)
    with _at_work() as host:
        same = [rebuild.check(one, host) for one in images]
    raise typer.Exit(0 if all(same) else 1)


@verb
def sbom(image: ImageTag = "2.15-cpu", into: Into = VOUCHED) -> None:
    """Build an image and write its bills of materials, checked against their schemas."""
    from scripts.build import build as builder
    from scripts.contents import sbom as bills
    from scripts.vouch import vouch

    images = matrix.load().choose(image)
    with _at_work() as host:
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
    with _at_work() as host:
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
    with _at_work() as host:
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
    with _at_work() as host:
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


@verb
def prove(
    image: ImageTag = "2.15-cpu",
    runs: Annotated[int, typer.Option(min=2, help="Runs of each kind.")] = 3,
) -> None:
    """Build an image, train in it several times, and compare the weights with a control."""
    from scripts.build import build as builder
    from scripts.proof import prove as proof

    one = matrix.load().named(image)
    with _at_work() as host:
        built = builder.build(one, host)
        raise typer.Exit(0 if proof.prove(host, built, image, runs=runs) else 1)


@verb
def prove_cluster(
    image: ImageTag = "2.15-cpu",
    workers: Annotated[int, typer.Option(min=2, help="Of each cluster.")] = 2,
    runs: Annotated[int, typer.Option(min=2, help="Clusters of each kind.")] = 3,
) -> None:
    """Build an image, train in it on several clusters, and compare the weights with a control."""
    from scripts.build import build as builder
    from scripts.proof import prove_cluster as proof

    one = matrix.load().named(image)
    with _at_work() as host:
        built = builder.build(one, host)
        holds = proof.prove_cluster(host, built, workers=workers, runs=runs)
        raise typer.Exit(0 if holds else 1)


@verb
def golden(image: ImageTag = "2.15-cpu") -> None:
    """Take down which bits an image's example gives here, and on which processor."""
    from scripts.build import build as builder
    from scripts.proof import prove as proof

    chosen = matrix.load().choose(image)
    with _at_work() as host:
        for one in chosen:
            proof.take_down(host, builder.build(one, host), one.tag)


@verb
def verify(
    script: Annotated[Path, typer.Argument(help="A training script on this machine.")],
    image: ImageTag = "2.15-cpu",
    runs: Annotated[int, typer.Option(min=2, help="How many.")] = 3,
    arguments: Annotated[str, typer.Option(help="The script's own, as words of a shell.")] = "",
    judging: Annotated[str, typer.Option(help="Options of `tf-repro judge`, likewise.")] = "",
    into: Annotated[Path, typer.Option(help="Where the reports go.")] = Path("verified"),
    jobs: Annotated[int, typer.Option(min=1, help="How many at the same time.")] = 1,
    bisect: Annotated[bool, typer.Option(help="Find the operation, if the runs part.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="Containers of a run.")] = 1,
    golden: Annotated[
        Path | None, typer.Option(help="A passport, with whose bits they must end.")
    ] = None,
    engines: Annotated[
        str, typer.Option(help="Addresses or docker contexts; the runs take turns.")
    ] = "",
) -> None:
    """Run a script several times, each in fresh containers, and say where and why runs part."""
    from scripts.build import build as builder
    from scripts.proof import verify as verification

    one = matrix.load().named(image)
    own = verification.words("ARGS", arguments)
    options = verification.words("JUDGE", judging)
    spread = verification.words("ENGINES", engines)
    asked = verification.Asked(
        script, own, runs, options, into, bisect, jobs, workers, golden, spread
    )
    with _at_work() as host:
        raise typer.Exit(verification.verify(host, builder.build(one, host), asked))


@verb
def interrupt(
    script: Annotated[Path, typer.Argument(help="A training script on this machine.")],
    count: Annotated[int, typer.Option(min=1, help="How many runs are killed.")] = 1,
    image: ImageTag = "2.15-cpu",
    arguments: Annotated[str, typer.Option(help="The script's own, as words of a shell.")] = "",
    judging: Annotated[str, typer.Option(help="Options of `tf-repro verify`, likewise.")] = "",
    into: Annotated[Path, typer.Option(help="Where the reports go.")] = Path("verified"),
    jobs: Annotated[int, typer.Option(min=1, help="How many at the same time.")] = 1,
) -> None:
    """Run a script to its end, and other times killed and started again: are they the same?"""
    from scripts.build import build as builder
    from scripts.proof import interrupt as interruption
    from scripts.proof import verify as verification

    one = matrix.load().named(image)
    own = verification.words("ARGS", arguments)
    options = verification.words("JUDGE", judging)
    asked = verification.Asked(script, own, count, options, into, jobs=jobs)
    with _at_work() as host:
        raise typer.Exit(interruption.interrupt(host, builder.build(one, host), asked))


@verb
def bisect(
    script: Annotated[Path, typer.Argument(help="A training script on this machine.")],
    good: Annotated[str, typer.Option(help="A tag with the bits that are right.")],
    bad: Annotated[str, typer.Option(help="A tag with others.")],
    runs: Annotated[int, typer.Option(min=2, help="How many in each image.")] = 2,
    arguments: Annotated[str, typer.Option(help="The script's own, as words of a shell.")] = "",
    into: Annotated[Path, typer.Option(help="Where the reports go.")] = Path("verified"),
) -> None:
    """Say which image is the first with other bits, and which package moves them."""
    from scripts.proof import bisect as bisection
    from scripts.proof import verify as verification

    own = verification.words("ARGS", arguments)
    asked = verification.Asked(script, own, runs, (), into)
    with _at_work() as host:
        bisection.bisect(host, matrix.load(), asked, good, bad)


@verb
def bench(name: str, image: ImageTag = "2.15-cpu") -> None:
    """Time an image with a program of scripts/proof/benches, in a fresh container."""
    from scripts.build import build as builder
    from scripts.proof import bench as benches

    one = matrix.load().named(image)
    with _at_work() as host:
        built = builder.build(one, host)
        raise typer.Exit(0 if benches.bench(name, host, built) else 1)


@verb
def reach(
    image: ImageTag = "2.15-cpu",
    sample: Annotated[bool, typer.Option(help="A look of minutes.")] = False,
    parts: Annotated[str, typer.Option(help="arrays, ops, xla, trainings; empty is all.")] = "",
    jobs: Annotated[int, typer.Option(min=1, help="How many at the same time.")] = 1,
    into: Annotated[Path | None, typer.Option("--json", help="All digests go there.")] = None,
) -> None:
    """Compute the same natively and emulated as other processors, and say what differs."""
    from scripts.build import build as builder
    from scripts.proof.reach import reach as comparison

    one = matrix.load().named(image)
    asked = comparison.Asked(tuple(parts.replace(",", " ").split()), sample, jobs, into)
    with _at_work() as host:
        raise typer.Exit(comparison.reach(host, builder.build(one, host), one.tag, asked))


@verb
def engine_start() -> None:
    """Make sure that a Docker engine answers; start a private one if none does."""
    with _at_work() as host:
        say(f"a Docker engine answers at {host.host}")


@verb
def engine_stop() -> None:
    """End the private engine, if one runs."""
    stopped = engine.stop(engine.private())
    say("the private engine has ended" if stopped else "no private engine runs")


@verb
def clean() -> None:
    """End the private engine and delete what the kit keeps in its data root."""
    engine.stop(engine.private())
    with exclusive():
        delete_data()
    say(f"{data_root()} is empty of what the kit kept there")


if __name__ == "__main__":
    main()
