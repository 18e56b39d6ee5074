"""The kit's command line; `make help` shows the same verbs."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from scripts import matrix
from scripts.engine import engine
from scripts.errors import KitError
from scripts.places import data_root, delete_data, exclusive
from scripts.ui import say

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
VOUCHED = Path("vouched")
Into = Annotated[Path, typer.Option(help="The folder of the images' folders of artefacts.")]
ImageTag = Annotated[str, typer.Option("--image", help="A tag of images/matrix.toml, or all.")]


def _chosen(image: str, known: matrix.Matrix) -> list[str]:
    if image == "all":
        return list(known.image)
    known.named(image)
    return [image]


@app.command()
def lock(image: ImageTag = "all") -> None:
    """Resolve what images/matrix.toml asks for, and write the locks."""
    from scripts.locks import lock as locks  # noqa: PLC0415 - each verb loads what it needs

    known = matrix.load()
    with exclusive():
        locks.lock(_chosen(image, known), known)


@app.command()
def build(
    image: ImageTag = "2.15-cpu",
    release: Annotated[bool, typer.Option(help="Stop where a locked package is gone.")] = False,
) -> None:
    """Build an image from its locks."""
    from scripts.build import build as builder  # noqa: PLC0415 - see `lock`

    known = matrix.load()
    with exclusive():
        for tag in _chosen(image, known):
            builder.build(tag, known, release=release)


@app.command()
def lock_image(image: ImageTag = "2.15-cpu") -> None:
    """Build an image and write down which bytes it is."""
    from scripts.build import build as builder  # noqa: PLC0415 - see `lock`
    from scripts.locks import image_lock  # noqa: PLC0415

    known = matrix.load()
    with exclusive():
        for tag in _chosen(image, known):
            built = builder.build(tag, known)
            if built.drift:
                raise KitError(f"{tag} has drifted from its locks; `make lock IMAGE={tag}` first")
            say(f"{image_lock.write(tag, built.digests)} is written")


@app.command()
def sizes(image: ImageTag = "2.15-cpu") -> None:
    """Measure what an image takes on disk, and what a plain installation would."""
    from scripts.build import build as builder  # noqa: PLC0415 - see `lock`
    from scripts.family import sizes as measurements  # noqa: PLC0415

    known = matrix.load()
    with exclusive():
        for tag in _chosen(image, known):
            built = builder.build(tag, known)
            size = measurements.measure(tag, known, engine.require(), built)
            measurements.write({tag: size}, known)


@app.command()
def readme() -> None:
    """Write images/README.md out of the matrix, the locks and the measured sizes."""
    from scripts.family import page  # noqa: PLC0415 - see `lock`

    say(f"{page.write(matrix.load())} is written")


@app.command()
def rebuild_check(image: ImageTag = "2.15-cpu") -> None:
    """Build an image again without any cache, and compare every byte."""
    from scripts.build import rebuild  # noqa: PLC0415 - see `lock`

    known = matrix.load()
    with exclusive():
        same = [rebuild.check(tag, known) for tag in _chosen(image, known)]
    raise typer.Exit(0 if all(same) else 1)


@app.command()
def sbom(image: ImageTag = "2.15-cpu", into: Into = VOUCHED) -> None:
    """Build an image and write its bills of materials, checked against their schemas."""
    from scripts.build import build as builder  # noqa: PLC0415 - see `lock`
    from scripts.contents import sbom as bills  # noqa: PLC0415
    from scripts.vouch import vouch  # noqa: PLC0415

    known = matrix.load()
    with exclusive():
        for tag in _chosen(image, known):
            documents = builder.build(tag, known).materials.documents
            bills.validate(documents)
            vouch.write(vouch.typed(documents), into / tag)


@app.command()
def sign(
    image: ImageTag = "2.15-cpu",
    into: Into = VOUCHED,
    key: Annotated[Path | None, typer.Option(help="Private key; none writes no signature.")] = None,
) -> None:
    """Build an image, write its bills and its provenance, and sign that."""
    from scripts.build import build as builder  # noqa: PLC0415 - see `lock`
    from scripts.vouch import vouch  # noqa: PLC0415

    known = matrix.load()
    with exclusive():
        for tag in _chosen(image, known):
            built = builder.build(tag, known)
            vouch.write(vouch.artefacts(tag, known, built, key=key), into / tag)


@app.command()
def sign_key(key: Path) -> None:
    """Make a key pair to sign images with."""
    from scripts.vouch import signing  # noqa: PLC0415 - see `lock`

    public = signing.make_key(key)
    say(f"{key} is made: keep it to yourself; {public} is for everybody who verifies")


@app.command()
def verify_signature(
    key: Annotated[Path, typer.Option(help="The public key of who is trusted.")],
    image: ImageTag = "2.15-cpu",
    into: Into = VOUCHED,
) -> None:
    """Verify that an image is the one that was signed: in the registry, if one is named."""
    from scripts.vouch import vouch  # noqa: PLC0415 - see `lock`

    known = matrix.load()
    with exclusive():
        for tag in _chosen(image, known):
            if known.family.registry:
                vouch.verify_published(tag, known, key)
            else:
                vouch.verify_files(tag, known, key, into / tag)


@app.command()
def audit_cve(image: ImageTag = "2.15-cpu") -> None:
    """Ask the public databases which vulnerabilities are known in what an image holds."""
    from scripts.vouch import audit_cve as audits  # noqa: PLC0415 - see `lock`

    known = matrix.load()
    with exclusive():
        outcomes = [audits.audit(tag, known) for tag in _chosen(image, known)]
    for outcome in (audits.FOUND, audits.NOT_REACHED):
        if outcome in outcomes:
            raise typer.Exit(outcome)


@app.command()
def publish(
    image: ImageTag = "2.15-cpu",
    compression: Annotated[str, typer.Option(help="Of the layers: zstd or gzip.")] = "zstd",
    key: Annotated[Path | None, typer.Option(help="Private key; none signs nothing.")] = None,
) -> None:
    """Push an image under all its tags, if it is what its locks say."""
    from scripts.publish import publish as publication  # noqa: PLC0415
    from scripts.registry.compression import chosen  # noqa: PLC0415 - see `lock`

    known = matrix.load()
    with exclusive():
        for tag in _chosen(image, known):
            publication.publish(tag, known, chosen(compression), key)


@app.command()
def changelog(
    before: Annotated[str, typer.Argument(help="A tag or digest in the registry.")],
    after: Annotated[str, typer.Argument(help="Another.")],
) -> None:
    """Say what changed between two published images."""
    from scripts.publish import changelog as changes  # noqa: PLC0415 - see `lock`

    changes.show(changes.changelog(matrix.load(), before, after))


@app.command()
def prove(
    image: ImageTag = "2.15-cpu",
    runs: Annotated[int, typer.Option(min=2, help="Runs of each kind.")] = 3,
) -> None:
    """Build an image, train in it several times, and compare the weights with a control."""
    from scripts.build import build as builder  # noqa: PLC0415 - see `lock`
    from scripts.proof import prove as proof  # noqa: PLC0415

    known = matrix.load()
    with exclusive():
        built = builder.build(image, known)
        raise typer.Exit(0 if proof.prove(engine.require(), built, runs=runs) else 1)


@app.command()
def verify(
    script: Annotated[Path, typer.Argument(help="A training script on this machine.")],
    image: ImageTag = "2.15-cpu",
    runs: Annotated[int, typer.Option(min=2, help="How many.")] = 3,
    arguments: Annotated[str, typer.Option(help="The script's own.")] = "",
    judging: Annotated[str, typer.Option(help="Options of `tf-repro judge`.")] = "",
    into: Annotated[Path, typer.Option(help="Where the reports go.")] = Path("verified"),
    jobs: Annotated[int, typer.Option(min=1, help="How many at the same time.")] = 1,
    bisect: Annotated[bool, typer.Option(help="Find the operation, if the runs part.")] = False,
) -> None:
    """Run a script several times, each in a fresh container, and say where and why runs part."""
    from scripts.build import build as builder  # noqa: PLC0415 - see `lock`
    from scripts.proof import verify as verification  # noqa: PLC0415

    known = matrix.load()
    with exclusive():
        built = builder.build(image, known)
        asked = verification.Asked(script, arguments, runs, judging, into, bisect, jobs)
        raise typer.Exit(verification.verify(engine.require(), built, asked))


@app.command()
def bench(name: str, image: ImageTag = "2.15-cpu") -> None:
    """Time an image with a program of scripts/proof/benches, in a fresh container."""
    from scripts.build import build as builder  # noqa: PLC0415
    from scripts.proof import bench as benches  # noqa: PLC0415 - see `lock`

    known = matrix.load()
    with exclusive():
        built = builder.build(image, known)
        raise typer.Exit(0 if benches.bench(name, engine.require(), built) else 1)


@app.command()
def engine_start() -> None:
    """Make sure that a Docker engine answers; start a private one if none does."""
    with exclusive():
        say(f"a Docker engine answers at {engine.require().host}")


@app.command()
def engine_stop() -> None:
    """End the private engine, if one runs."""
    stopped = engine.stop(engine.private())
    say("the private engine has ended" if stopped else "no private engine runs")


@app.command()
def clean() -> None:
    """End the private engine and delete what the kit keeps in its data root."""
    engine.stop(engine.private())
    with exclusive():
        delete_data()
    say(f"{data_root()} is empty of what the kit kept there")


class Stopped(BaseException):
    """Somebody asked us to stop: an exception, so that every `finally` runs."""


def _stop(*_: int | FrameType | None) -> None:
    raise Stopped


def main() -> None:
    """Run a verb; what the user can mend is one line, and what is our bug a traceback."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        app()
    except KitError as error:
        say(f"error: {error}", style="bold red")
        sys.exit(error.exit_code)
    except Stopped:
        say("stopped; nothing is half done, and the same command goes on from here", style="bold")
        sys.exit(130)


if __name__ == "__main__":
    main()
