"""Verbs that run trainings in an image, and compare their bits; and those that take times."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scripts import matrix
from scripts.command_line import verb
from scripts.verbs.common import ImageTag, at_work


@verb
def prove(
    image: ImageTag = "2.15-cpu",
    runs: Annotated[int, typer.Option(min=2, help="Runs of each kind.")] = 3,
) -> None:
    """Build an image, train in it several times, and compare the weights with a control."""
    from scripts.build import build as builder
    from scripts.proof import prove as proof

    one = matrix.load().named(image)
    with at_work() as host:
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
    with at_work() as host:
        built = builder.build(one, host)
        holds = proof.prove_cluster(host, built, workers=workers, runs=runs)
        raise typer.Exit(0 if holds else 1)


@verb
def golden(image: ImageTag = "2.15-cpu") -> None:
    """Take down which bits an image's example gives here, and on which processor."""
    from scripts.build import build as builder
    from scripts.proof import prove as proof

    chosen = matrix.load().choose(image)
    with at_work() as host:
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
    with at_work() as host:
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
    with at_work() as host:
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
    with at_work() as host:
        bisection.bisect(host, matrix.load(), asked, good, bad)


@verb
def bench(name: str, image: ImageTag = "2.15-cpu") -> None:
    """Time an image with a program of scripts/proof/benches, in a fresh container."""
    from scripts.build import build as builder
    from scripts.proof import bench as benches

    one = matrix.load().named(image)
    with at_work() as host:
        built = builder.build(one, host)
        raise typer.Exit(0 if benches.bench(name, host, built) else 1)


def _names(listed: str) -> tuple[str, ...]:
    return tuple(listed.replace(",", " ").split())


@verb
def reach(
    image: ImageTag = "2.15-cpu",
    sample: Annotated[bool, typer.Option(help="A look of minutes.")] = False,
    parts: Annotated[str, typer.Option(help="arrays, ops, xla, trainings; empty is all.")] = "",
    models: Annotated[str, typer.Option("--as", help="QEMU's names; empty is all four.")] = "",
    jobs: Annotated[int, typer.Option(min=1, help="How many at the same time.")] = 1,
    into: Annotated[Path | None, typer.Option("--json", help="All digests go there.")] = None,
) -> None:
    """Compute the same natively and emulated as other processors, and say what differs."""
    from scripts.build import build as builder
    from scripts.proof.reach import reach as comparison

    one = matrix.load().named(image)
    asked = comparison.Asked(_names(parts), _names(models), sample, jobs, into)
    with at_work() as host:
        raise typer.Exit(comparison.reach(host, builder.build(one, host), one.tag, asked))
