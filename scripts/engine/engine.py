"""The Docker engine: the one that answers, or a private one out of Debian's packages.

Where an engine answers, it is used as it is. Where none does, a current one is unpacked under the
data root and started on the default socket; `make engine-stop` ends it.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import processes
from scripts.engine import connection, dockerd, private_engine
from scripts.errors import KitError
from scripts.ui import say

if TYPE_CHECKING:
    from docker import DockerClient


@dataclass(frozen=True)
class Engine:
    """An engine that answers: its address, the programs that talk to it, and our own connection."""

    host: str
    docker: Path
    buildx: tuple[str, ...]
    client: DockerClient

    @property
    def env(self) -> dict[str, str]:
        """The environment that leads a docker client to this engine."""
        return {"DOCKER_HOST": self.host}


def chosen_host() -> str | None:
    """Return the engine's address that the user chose: DOCKER_HOST, or the client's context."""
    if host := os.environ.get("DOCKER_HOST"):
        return host
    if docker := shutil.which("docker"):
        asked = processes.finish(
            [docker, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
        )
        host = asked.stdout.strip()
        if asked.returncode == 0 and host not in {"", f"unix://{dockerd.DEFAULT_SOCKET}"}:
            return host
    return None


@contextmanager
def connected() -> Iterator[Engine]:
    """Give an engine that answers; start the private one if there is none.

    There is one connection for all that a verb does, closed when that is done.

    Raises:
        KitError: none answers and none can be started.
    """
    host = _require()
    client_program, buildx = _programs()
    with connection.opened(host, host) as client:
        yield Engine(host, client_program, buildx, client)


def _require() -> str:
    """Return the address of an engine that answers, for which the private one may be started."""
    if host := chosen_host():
        try:
            connection.see_that_it_answers(host, host)
        except connection.NoAnswerError as error:
            raise KitError(f"{error}; start it, or unset DOCKER_HOST") from error
        return host
    host = f"unix://{dockerd.DEFAULT_SOCKET}"
    if not connection.answers(host):
        # A second engine would take the socket from the first, which nobody could reach any more.
        if _listens(dockerd.DEFAULT_SOCKET):
            raise KitError(
                f"{host}: an engine is there and does not answer in {connection.ANSWER_SECONDS} s; "
                "see what it waits for, or restart it"
            )
        dockerd.start(dockerd.private())
    return host


def _listens(path: Path) -> bool:
    """Return whether somebody takes connections at a socket, whether or not he answers them."""
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(1)
            one.connect(str(path))
    except TimeoutError:  # so many wait already
        return True
    except OSError:
        return False
    return True


def _programs() -> tuple[Path, tuple[str, ...]]:
    """Find docker and buildx: the host's own, else the private ones."""
    docker = shutil.which("docker")
    if docker and dockerd.has_buildx(docker):
        return Path(docker), (docker, "buildx")
    files = dockerd.private().files
    if not files.is_dir():
        say("docker buildx is not on this machine: the kit takes its own, and installs nothing")
    private_engine.unpack(files)
    # A client plugin is also a program of its own, so that no client has to find it.
    return Path(docker or files / dockerd.CLIENT), (str(files / dockerd.BUILDX),)
