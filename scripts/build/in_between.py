"""An image between two of the family: one of them, with some packages as the other locks them."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scripts.build.one_processor import document
from scripts.engine import image_store
from scripts.errors import KitError
from scripts.locks import wheels
from scripts.places import scratch
from scripts.processes import finish, last_words

if TYPE_CHECKING:
    from scripts.build.build import Built
    from scripts.engine.engine import Engine
    from scripts.locks.wheels import Wheel
    from scripts.matrix import Base

TAG = "org/tf-repro-between"
# The constraints of the image hold what is to be moved here. What a package requires is not asked:
# in between, it may not be there.
INSTALL = (
    "env -u PIP_CONSTRAINT pip install --no-index --no-deps --no-cache-dir --quiet "
    "--root-user-action=ignore"
)


@contextmanager
def built(host: Engine, start: Built, base: Base, moved: Sequence[Wheel]) -> Iterator[Built]:
    """Yield an image that is `start` with other packages, and remove it behind.

    Args:
        host: the engine, with `start` in it.
        start: the image that it is but for them.
        base: of both.
        moved: the packages, as another image locks them.

    Raises:
        KitError: the engine cannot build on an image that it has, or pip does not install them.
    """
    if image_store.reproducible_builder(host) != image_store.BUILT_IN:
        raise KitError(
            "images in between are built on those of the engine, which its own builder sees alone: "
            "leave BUILDER out, and use an engine with the containerd image store"
        )
    wheels.obtain(moved, base)
    name = f"{TAG}:{os.getpid()}"
    with scratch() as context:
        for wheel in moved:
            shutil.copy(wheels.cached(wheel), context)
        files = " ".join(f"/mnt/context/{wheel.file_name}" for wheel in moved)
        dockerfile = (
            f"FROM {start.name}\n"
            f"RUN --network=none --mount=type=bind,target=/mnt/context {INSTALL} {files}\n"
        )
        if any(wheel.name in document.TENSORFLOW for wheel in moved):
            # Else its bits would follow the processor, as those of none of the two images do.
            (context / document.NAME).write_bytes(document.made(moved))
            dockerfile += f"COPY {document.NAME} {document.FOLDER}/\n"
        options = ["build", "--quiet", f"--tag={name}", "--load", "--file=-", str(context)]
        argv = [*host.buildx, *options]
        done = finish(argv, env={**os.environ, **host.env}, input=dockerfile)
    if done.returncode:
        raise KitError(f"pip does not install them: {last_words(done.stderr)}")
    try:
        image_id = image_store.named(host, name)
        assert image_id
        yield dataclasses.replace(start, names=(name,), config_digest=image_id)
    finally:
        host.client.images.remove(name, force=True)
