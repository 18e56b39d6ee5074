"""Verbs that make images: their locks, the builds, what is said of the family."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from scripts import matrix
from scripts.command_line import verb
from scripts.errors import KitError
from scripts.places import exclusive
from scripts.ui import say
from scripts.verbs.common import ImageTag, at_work


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
    with at_work() as host:
        for one in images:
            builder.build(one, host, release=release)


@verb
def lock_image(image: ImageTag = "2.15-cpu") -> None:
    """Build an image and write down which bytes it is."""
    from scripts.build import build as builder
    from scripts.locks import image_lock

    images = matrix.load().choose(image)
    with at_work() as host:
        for one in images:
            built = builder.build(one, host)
            if built.drift:
                raise KitError(
                    f"{one.tag} has drifted from its locks; `make lock IMAGE={one.tag}` first"
                )
            say(f"{image_lock.write(one.tag, built.digests)} is written")


@verb
def rebuild_check(image: ImageTag = "2.15-cpu") -> None:
    """Build an image again without any cache, and compare every byte."""
    from scripts.build import rebuild

    images = matrix.load().choose(image)
    with at_work() as host:
        same = [rebuild.check(one, host) for one in images]
    raise typer.Exit(0 if all(same) else 1)


@verb
def sizes(image: ImageTag = "2.15-cpu") -> None:
    """Measure what an image takes on disk, and what a plain installation would."""
    from scripts.build import build as builder
    from scripts.family import sizes as measurements

    known = matrix.load()
    images = known.choose(image)
    with at_work() as host:
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
