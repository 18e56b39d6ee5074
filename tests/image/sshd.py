"""A host that is reached by ssh: a real sshd on this machine, with keys and a port of its own.

Where this machine has none, it is Debian's, unpacked and not installed. A user's configuration of
ssh is found by /etc/passwd and not by HOME, so a program in front of ssh names another one.
"""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.locks.apt import HOST_STATUS, Apt, host_codename, host_sources
from scripts.processes import DIES_WITH_US
from tests.image.debian import unpack
from tests.image.ports import free_port

PATIENCE = 30.0
LIBRARIES = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")
PROGRAMS = ("sshd", "ssh", "ssh-keygen")
SERVER = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PermitRootLogin yes
StrictModes no
UsePAM no
PidFile none
SetEnv {env}
"""
CLIENT = """\
IdentityFile {folder}/user
IdentitiesOnly yes
UserKnownHostsFile {folder}/known_hosts
GlobalKnownHostsFile none
"""
# What sshd wants of the machine that it is installed on, for itself alone: a folder and a user. The
# socket of this machine's engine is not there, so that nobody gets to it by mistake.
APART = """\
mount -t tmpfs tmpfs /run
mkdir /run/sshd
mount --bind {folder}/passwd /etc/passwd
exec {sshd} -D -e -f {folder}/sshd_config
"""


@dataclass(frozen=True)
class Programs:
    """OpenSSH's, and where they find libraries that this machine lacks."""

    folders: str
    env: Mapping[str, str]

    def path(self, name: str) -> str:
        """Return where one of them is."""
        found = shutil.which(name, path=self.folders)
        assert found, name
        return found


def programs(folder: Path) -> Programs:
    """Return OpenSSH's programs: this machine's, or those of Debian's packages."""
    own = f"{os.environ['PATH']}:/usr/sbin"
    if all(shutil.which(name, path=own) for name in PROGRAMS):
        return Programs(own, {})
    apt = Apt(folder / "apt", host_sources(host_codename()), HOST_STATUS)
    apt.update()
    root = unpack(apt.closure(["openssh-server", "openssh-client"]), folder)
    libraries = ":".join(str(root / one) for one in LIBRARIES)
    return Programs(f"{root}/usr/sbin:{root}/usr/bin:{own}", {"LD_LIBRARY_PATH": libraries})


@dataclass(frozen=True)
class Host:
    """A host that lets us in.

    Attributes:
        port: of 127.0.0.1.
        folder: its keys, and the user's; known_hosts is what the user knows.
        path: PATH with a program `ssh` that has the user's configuration.
    """

    port: int
    folder: Path
    path: str

    @property
    def address(self) -> str:
        """What DOCKER_HOST would be."""
        return f"ssh://root@127.0.0.1:{self.port}"


@contextmanager
def sshd(of: Programs, folder: Path, env: Mapping[str, str]) -> Iterator[Host]:
    """Start a host, whose key is known to the user.

    Args:
        of: the programs.
        folder: a new one, for keys and configurations.
        env: what who logs in finds in the environment.
    """
    folder.mkdir()
    environ = {**os.environ, **of.env}
    for key in ("host", "user"):
        argv = [of.path("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", f"{folder / key}"]
        subprocess.run(argv, env=environ, check=True)
    port = free_port()
    _configure(of, folder, port, env)
    script = APART.format(folder=folder, sshd=of.path("sshd"))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*DIES_WITH_US, "unshare", "--mount", "sh", "-e", "-c", script],
            env=environ,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _await(process, port, folder / "log")
        yield Host(port, folder, f"{folder / 'bin'}:{os.environ['PATH']}")
    finally:
        process.terminate()
        process.wait(PATIENCE)
        _await_the_last(port)


def _configure(of: Programs, folder: Path, port: int, env: Mapping[str, str]) -> None:
    told = " ".join(f"{name}={value}" for name, value in env.items())
    (folder / "sshd_config").write_text(SERVER.format(folder=folder, port=port, env=told))
    nobody = "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n"
    (folder / "passwd").write_text(f"{Path('/etc/passwd').read_text()}{nobody}")
    host = (folder / "host.pub").read_text()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host}")
    (folder / "ssh_config").write_text(CLIENT.format(folder=folder))
    front = folder / "bin/ssh"
    front.parent.mkdir()
    chosen = shlex.join([*(f"{name}={value}" for name, value in of.env.items()), of.path("ssh")])
    front.write_text(f'#!/bin/sh\nexec env {chosen} -F {folder}/ssh_config "$@"\n')
    front.chmod(0o755)


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        if _listens(port):
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def _await_the_last(port: int) -> None:
    """Wait for the processes of its connections, which have its socket until they have begun."""
    deadline = time.monotonic() + PATIENCE
    while _listens(port):
        assert time.monotonic() < deadline, f"somebody listens at port {port} still"
        time.sleep(0.05)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
