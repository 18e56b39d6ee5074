"""Engines beside this machine's: found by address or context, and given the very same image.

What is transferred is an image by its id, so that no name moves on the other engine but one that
tells the image's config digest: by that it is found there the next time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from scripts import processes
from scripts.engine import connection, containers
from scripts.engine.engine import Engine
from scripts.errors import KitError
from scripts.places import data_identity
from scripts.processes import last_words
from scripts.ui import say, stage

if TYPE_CHECKING:
    from docker.models.images import Image

    from docker import DockerClient

# What of an image's configuration decides what runs in it.
_DECIDES = ("Env", "Labels", "Cmd", "Entrypoint", "User", "WorkingDir")
_MB = 1_000_000


@dataclass(frozen=True)
class Place:
    """An engine that has the image.

    Attributes:
        name: as the user calls it.
        client: the connection.
        image: what the image is called there.
        owner: of the containers there; none is this data root: see `containers.run`.
    """

    name: str
    client: DockerClient
    image: str
    owner: str | None = None


@contextmanager
def places(names: Sequence[str], host: Engine, image: str, digest: str) -> Iterator[list[Place]]:
    """Give engines that have an image, which is transferred to those that do not.

    Args:
        names: addresses as DOCKER_HOST has them, or docker contexts; none is this engine alone.
        host: the engine that has the image.
        image: its name.
        digest: its config digest.

    Raises:
        KitError: a context is not known, or an engine does not answer or give the image back.
    """
    if not names:
        yield [Place(host.host, host.client, image)]
        return
    with ExitStack() as stack:
        found = []
        for name in names:
            address = _address(name, host)
            if address == host.host:
                found.append(Place(name, host.client, image))
                continue
            client = stack.enter_context(connection.opened(address, f"ENGINES: {name}"))
            # Another machine's kit may use that engine, too, with a data root of the same path.
            owner = data_identity()
            with asking(name):
                containers.sweep(client, owner)
                there = _brought(host.client, image, digest, name, client)
            found.append(Place(name, client, there, owner))
        yield found


@contextmanager
def asking(name: str) -> Iterator[None]:
    """Make what an engine fails in one line of ours, as where its machine is gone meanwhile.

    Args:
        name: as the user calls it.

    Raises:
        KitError: the body has raised what the Docker SDK raises then.
    """
    # Half a second, which who asks nothing need not pay.
    from docker.errors import DockerException  # noqa: PLC0415
    from requests import RequestException  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    try:
        yield
    except (DockerException, RequestException, HTTPError) as error:
        raise KitError(f"{name}: the engine fails ({last_words(str(error))})") from error


def _address(name: str, host: Engine) -> str:
    if "://" in name:
        return name
    argv = [str(host.docker), "context", "inspect", "--format", "{{.Endpoints.docker.Host}}", name]
    asked = processes.finish(argv)
    if asked.returncode:
        raise KitError(
            f"ENGINES: {name} is no address and no docker context; name ssh://host, "
            "unix:///path.sock, or one of `docker context ls`"
        )
    return asked.stdout.strip()


def _brought(here: DockerClient, image: str, digest: str, name: str, there: DockerClient) -> str:
    """Return what an image is called on another engine, which has it now."""
    from docker.errors import APIError, ImageNotFound  # noqa: PLC0415 - see `connection.opened`

    ours = here.images.get(image)
    repository = image.rpartition(":")[0]
    known = f"{repository}:{digest.replace(':', '-')}"
    try:
        if _is_same(ours, there.images.get(known)):
            return known
        say(f"{name}: {known} is another image there than here; it is transferred anew")
    except ImageNotFound:
        pass
    with stage(f"transferring {image} to {name}") as notice:

        def chunks() -> Iterator[bytes]:
            sent = 0
            for chunk in ours.save(chunk_size=1 << 20):
                sent += len(chunk)
                notice(f"{sent // _MB} MB")
                yield chunk

        try:
            loaded = there.images.load(cast("bytes", chunks()))
        except APIError as error:
            raise KitError(f"ENGINES: {name}: it takes no image ({error.explanation})") from error
    theirs = next((one for one in loaded if _is_same(ours, one)), None)
    if theirs is None:
        raise KitError(f"ENGINES: {name}: what it has loaded is not the image that was sent")
    theirs.tag(repository, known.rpartition(":")[2])
    return known


def _is_same(one: Image, other: Image) -> bool:
    """Return whether two engines' images are one: engines of different stores call it otherwise."""
    return _identity(one.attrs) == _identity(other.attrs)


def _identity(attributes: dict[str, Any]) -> list[Any]:
    config = attributes.get("Config") or {}
    return [attributes["RootFS"]["Layers"], *(config.get(name) or None for name in _DECIDES)]
