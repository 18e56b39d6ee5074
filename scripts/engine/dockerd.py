"""The private engine: started with storage, configuration and run-time state of its own, and ended.

Nothing is installed; ending it takes back what it put on the machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from scripts import processes
from scripts.engine import connection, private_engine
from scripts.errors import KitError
from scripts.places import data_folder, data_root
from scripts.ui import say, stage

DEFAULT_SOCKET = Path("/var/run/docker.sock")
# What is put on the machine while the private engine runs, if nothing of the kind is there.
CLIENT_LINK = Path("/usr/local/bin/docker")
BUILDX_LINK = Path("/usr/local/lib/docker/cli-plugins/docker-buildx")
CLIENT = "usr/bin/docker"
BUILDX = "usr/libexec/docker/cli-plugins/docker-buildx"
START_SECONDS = 60
STOP_SECONDS = 30


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
        if connection.answers(f"unix://{engine.socket}"):
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
    if not has_buildx("docker"):
        made.append(_link(BUILDX_LINK, engine.files / BUILDX))
    return f", {' and '.join(made)} linked to it" if made else ""


def _link(link: Path, target: Path) -> str:
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.is_symlink():  # a dangling one, or it would have been found
        link.unlink()
    link.symlink_to(target)
    return str(link)


def has_buildx(docker: str) -> bool:
    """Tell whether a docker client has the plugin."""
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
