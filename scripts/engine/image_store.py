"""The engine's image store: what it can do, and what it holds."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from scripts import places
from scripts.engine.engine import Engine
from scripts.errors import KitError
from scripts.oci import Layout
from scripts.processes import finish, last_words, start
from scripts.ui import say, stage

# Docker's name for the builder that is built into the engine.
BUILT_IN = "default"
OWN_BUILDER = "tf-repro"


def require_disk(host: Engine, gigabytes: float, purpose: str) -> None:
    """Raise KitError unless the engine's own folder, if it is on this machine, has the room."""
    folder = Path(str(host.client.info()["DockerRootDir"]))
    if host.host.startswith("unix://") and folder.is_dir():
        places.require_disk(folder, gigabytes, purpose)


def reproducible_builder(host: Engine) -> str:
    """Return the name of a builder whose layers are the same bytes wherever they are built.

    The engine's own builder is one with the containerd image store. The classic store writes layers
    in its own way, so there BuildKit has to run in a container of its own.

    BUILDER in the environment names another one, which may be on another machine: what it has built
    comes here.

    Raises:
        KitError: that container cannot be had, or the named builder does not answer.
    """
    chosen = os.environ.get("BUILDER", "")
    if chosen not in {"", BUILT_IN}:
        return _chosen_builder(host, chosen)
    if uses_containerd_store(host.client.info()):
        return BUILT_IN
    if _buildx(host, "inspect", OWN_BUILDER).returncode == 0:
        return OWN_BUILDER
    say("this engine's image store cannot export reproducibly: starting BuildKit in a container")
    options = ("--driver=docker-container", "--bootstrap")
    made = _buildx(host, "create", "--name", OWN_BUILDER, *options)
    if made.returncode:
        _buildx(host, "rm", "--force", OWN_BUILDER)
        raise KitError(
            f"{host.host}: this engine's image store cannot export reproducibly, and BuildKit's "
            f'own image cannot be had ({last_words(made.stderr)}); put {{"features": '
            '{"containerd-snapshotter": true}} into /etc/docker/daemon.json and restart the engine'
        )
    return OWN_BUILDER


def _chosen_builder(host: Engine, name: str) -> str:
    asked = _buildx(host, "inspect", "--bootstrap", name)
    if asked.returncode:
        raise KitError(
            f"BUILDER={name}: {last_words(asked.stderr)}; `docker buildx ls` lists the builders, "
            "`docker buildx create` makes one"
        )
    return name


def uses_containerd_store(info: dict[str, object]) -> bool:
    """Tell from the engine's `info` whether it keeps images in containerd's store."""
    status = info.get("DriverStatus") or []
    assert isinstance(status, list)
    return ["driver-type", "io.containerd.snapshotter.v1"] in status


def _buildx(host: Engine, *words: str) -> subprocess.CompletedProcess[str]:
    return finish([*host.buildx, *words], env={**os.environ, **host.env})


def has(host: Engine, image_id: str) -> bool:
    """Tell whether the engine has the image of this id."""
    from docker.errors import ImageNotFound  # noqa: PLC0415 - half a second, and only where needed

    try:
        host.client.images.get(image_id)
    except ImageNotFound:
        return False
    return True


def named(host: Engine, name: str) -> str | None:
    """Return the engine's id of the image of this name, None if it has none."""
    made = host.client.images.list(name=name)
    return str(made[0].id) if made else None


def inspect(host: Engine, image_id: str) -> dict[str, Any]:
    """Return what the engine says of an image, as `docker image inspect` prints it."""
    attributes: dict[str, Any] = host.client.images.get(image_id).attrs
    return attributes


def export(host: Engine, image_id: str, folder: Path) -> Layout:
    """Write an image into a new folder, as an OCI layout."""
    folder.mkdir()
    argv = ["tar", "--extract", f"--directory={folder}"]
    with start(argv, stdin=subprocess.PIPE) as tar:
        assert tar.stdin
        for chunk in host.client.images.get(image_id).save(chunk_size=1 << 20):
            tar.stdin.write(chunk)
    if tar.returncode:
        raise KitError(f"{folder}: the engine's export of {image_id} is not a whole tar; try again")
    return Layout(folder)


def load(host: Engine, archive: Path) -> None:
    """Load an image that another builder made, as `docker load` does; it gets no name."""
    with stage("loading the image into the engine"), archive.open("rb") as file:
        host.client.images.load(cast("bytes", file))


def tag(host: Engine, image_id: str, names: Sequence[str]) -> None:
    """Let every name point to this image; the names come after everything else is in place."""
    image = host.client.images.get(image_id)
    for name in names:
        if name not in image.tags:
            repository, _, version = name.rpartition(":")
            image.tag(repository, version)
