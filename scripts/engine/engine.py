"""The Docker engine: the one that answers, or a private one out of Debian's packages.

Where an engine answers, it is used as it is. Where none does, a current one is unpacked under the
data root and started on the default socket, with storage, configuration and run-time state of its
own. Nothing is installed; `make engine-stop` ends it and takes back what it put on the machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import processes
from scripts.engine import private_engine, ssh
from scripts.errors import KitError
from scripts.places import data_folder, data_root
from scripts.ui import say, stage

if TYPE_CHECKING:
    from docker import DockerClient

DEFAULT_SOCKET = Path("/var/run/docker.sock")
# What is put on the machine while the private engine runs, if nothing of the kind is there.
CLIENT_LINK = Path("/usr/local/bin/docker")
BUILDX_LINK = Path("/usr/local/lib/docker/cli-plugins/docker-buildx")
CLIENT = "usr/bin/docker"
BUILDX = "usr/libexec/docker/cli-plugins/docker-buildx"
START_SECONDS = 60
STOP_SECONDS = 30
# An image of several gigabytes is exported or loaded in one request.
REQUEST_SECONDS = 600
# Within which one says that it is there.
ANSWER_SECONDS = 10


class NoAnswerError(KitError):
    """No Docker engine answers at an address."""


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


@dataclass(frozen=True)
class Private:
    """Where the private engine lives, and what it runs with."""

    home: Path
    socket: Path = DEFAULT_SOCKET
    containerd_store: bool = True
    own_network: bool = False

    @property
    def files(self) -> Path:
        """The unpacked packages."""
        return self.home / "root"

    @property
    def pid_file(self) -> Path:
        """The process id of dockerd, written by itself."""
        return self.home / "dockerd.pid"

    @property
    def log(self) -> Path:
        """What dockerd says."""
        return self.home / "dockerd.log"

    @property
    def run_root(self) -> Path:
        """Run-time state. Not under `home`: the path of a Unix socket ends at 107 characters."""
        name = hashlib.sha256(str(self.home).encode()).hexdigest()[:12]
        return Path("/run/tf-repro") / name

    def pid(self) -> int | None:
        """Return the id of our running dockerd, None if there is none."""
        try:
            pid = int(self.pid_file.read_text())
            runs = Path(f"/proc/{pid}/exe").resolve()
        except (OSError, ValueError):
            return None
        return pid if runs == (self.files / "usr/sbin/dockerd").resolve() else None


def private() -> Private:
    """Return the private engine of this data root."""
    return Private(data_root() / "engine")


def answers(host: str) -> bool:
    """Tell whether a Docker engine answers at `host`.

    Raises:
        KitError: something listens there, and we may not talk to it.
    """
    try:
        see_that_it_answers(host, host)
    except NoAnswerError:
        return False
    return True


def see_that_it_answers(host: str, name: str) -> None:
    """Ask an engine whether it is there.

    Args:
        host: its address.
        name: what to call it where it does not answer.

    Raises:
        NoAnswerError: it does not, in seconds.
        KitError: something listens there, and we may not talk to it.
    """
    with connection(host, name):
        pass


def chosen_host() -> str | None:
    """Return the engine's address that the user chose: DOCKER_HOST, or the client's context."""
    if host := os.environ.get("DOCKER_HOST"):
        return host
    if docker := shutil.which("docker"):
        asked = processes.finish(
            [docker, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
        )
        host = asked.stdout.strip()
        if asked.returncode == 0 and host not in {"", f"unix://{DEFAULT_SOCKET}"}:
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
    with connection(host, host) as client:
        yield Engine(host, client_program, buildx, client)


@contextmanager
def connection(host: str, name: str) -> Iterator[DockerClient]:
    """Give a connection to an engine, which has been asked whether it is there.

    Args:
        host: its address.
        name: what to call it where it does not answer.

    Raises:
        NoAnswerError: it does not, in seconds.
        KitError: something listens there, and we may not talk to it.
    """
    import docker  # noqa: PLC0415 - half a second that `make help` and the unit tests need not pay

    with ExitStack() as stack:
        try:
            by_ssh = host.startswith(ssh.SCHEME)
            reached = stack.enter_context(ssh.socket_to(host)) if by_ssh else host
            # It asks for the engine's version at once; what comes next may take longer.
            client = docker.DockerClient(base_url=reached, timeout=ANSWER_SECONDS)
        except ssh.NotReachedError as error:
            raise NoAnswerError(f"{name}: no Docker engine answers there ({error})") from error
        except (docker.errors.DockerException, OSError) as error:
            if "Permission denied" in str(error):
                raise KitError(
                    f"{name}: permission denied; run as root, or have this user added to the group "
                    "that owns the socket (`usermod -aG docker USER`, then log in again)"
                ) from error
            reason = processes.last_words(str(error))
            raise NoAnswerError(f"{name}: no Docker engine answers there ({reason})") from error
        stack.enter_context(closing(client))
        client.api.timeout = REQUEST_SECONDS
        yield client


def _require() -> str:
    """Return the address of an engine that answers, for which the private one may be started."""
    if host := chosen_host():
        try:
            see_that_it_answers(host, host)
        except NoAnswerError as error:
            raise KitError(f"{error}; start it, or unset DOCKER_HOST") from error
        return host
    host = f"unix://{DEFAULT_SOCKET}"
    if not answers(host):
        # A second engine would take the socket from the first, which nobody could reach any more.
        if _listens(DEFAULT_SOCKET):
            raise KitError(
                f"{host}: an engine is there and does not answer in {ANSWER_SECONDS} s; see what "
                "it waits for, or restart it"
            )
        start(private())
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
    if docker and _has_buildx(docker):
        return Path(docker), (docker, "buildx")
    files = private().files
    if not files.is_dir():
        say("docker buildx is not on this machine: the kit takes its own, and installs nothing")
    private_engine.unpack(files)
    # A client plugin is also a program of its own, so that no client has to find it.
    return Path(docker or files / CLIENT), (str(files / BUILDX),)


def start(engine: Private) -> None:
    """Start the private engine and wait until it answers.

    Raises:
        KitError: we are not root, its packages cannot be had, or it does not come up.
    """
    if os.geteuid() != 0:
        raise KitError(
            "no Docker engine answers and only root can start one; run as root, or start yours "
            "and set DOCKER_HOST"
        )
    private_engine.unpack(engine.files)
    with stage("starting a private Docker engine"):
        process = _spawn(engine)
        try:
            _await(engine, process)
        except BaseException:
            process.terminate()
            process.wait(STOP_SECONDS)
            raise
    linked = _link_clients(engine)
    say(
        f"no Docker engine was there: a private one runs now (pid {process.pid}, "
        f"data in {engine.home}{linked}); `make engine-stop` ends it"
    )


def _spawn(engine: Private) -> subprocess.Popen[bytes]:
    data_folder("engine")
    config = engine.home / "daemon.json"
    # The default garbage collection throws the build cache away below 47.5 GiB of free disk.
    # https://docs.docker.com/build/cache/garbage-collection/
    config.write_text(
        json.dumps(
            {
                "features": {"containerd-snapshotter": engine.containerd_store},
                "builder": {"gc": {"enabled": True, "defaultKeepStorage": "20GB"}},
            }
        )
    )
    # Two engines on one host would share the bridge docker0, and each would set it up anew: a
    # second one gets a network namespace of its own.
    apart = ["unshare", "--net"] if engine.own_network else []
    argv = [
        *apart,
        str(engine.files / "usr/sbin/dockerd"),
        f"--config-file={config}",
        f"--data-root={engine.home / 'data'}",
        f"--exec-root={engine.run_root}",
        f"--pidfile={engine.pid_file}",
        f"--host=unix://{engine.socket}",
    ]
    with engine.log.open("wb") as log:
        return processes.start(
            argv,
            # It lives on when the kit has ended.
            tied=False,
            env={**os.environ, **private_engine.environment(engine.files)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _await(engine: Private, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if answers(f"unix://{engine.socket}"):
            return
        time.sleep(0.2)
    words = [line for line in engine.log.read_text(errors="replace").splitlines() if line]
    raise KitError(f"the private engine did not come up, see {engine.log}: {words[-1:]}")


def _link_clients(engine: Private) -> str:
    """Put `docker` and `docker buildx` where the shell finds them; return how to say so."""
    if engine.socket != DEFAULT_SOCKET:
        return ""
    made = []
    if not shutil.which("docker"):
        made.append(_link(CLIENT_LINK, engine.files / CLIENT))
    if not _has_buildx("docker"):
        made.append(_link(BUILDX_LINK, engine.files / BUILDX))
    return f", {' and '.join(made)} linked to it" if made else ""


def _link(link: Path, target: Path) -> str:
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.is_symlink():  # a dangling one, or it would have been found
        link.unlink()
    link.symlink_to(target)
    return str(link)


def _has_buildx(docker: str) -> bool:
    return not processes.finish([docker, "buildx", "version"]).returncode


def stop(engine: Private) -> bool:
    """End the private engine with its containers; tell whether it ran.

    Raises:
        KitError: it does not end.
    """
    for link, target in ((CLIENT_LINK, CLIENT), (BUILDX_LINK, BUILDX)):
        if link.is_symlink() and link.readlink() == engine.files / target:
            link.unlink()
    pid = engine.pid()
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while engine.pid() is not None:
        if time.monotonic() > deadline:
            raise KitError(f"the private engine (pid {pid}) does not end; see {engine.log}")
        time.sleep(0.1)
    shutil.rmtree(engine.run_root, ignore_errors=True)
    return True
