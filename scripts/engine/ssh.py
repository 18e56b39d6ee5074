"""An engine on another machine, by ssh: a socket here, each of whose connections ends there.

As Docker's own client does it, `ssh HOST docker system dial-stdio` is a connection: the user's own
hosts, keys and known hosts are in force, and so is the engine that docker is led to over there.
https://docs.docker.com/reference/cli/docker/system/dial-stdio/
"""

from __future__ import annotations

import shlex
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from scripts import processes

SCHEME = "ssh://"
# A machine that is off answers nothing, and one that vanishes says nothing.
CONNECT_SECONDS, ALIVE_SECONDS = 10, 15
# For all of a first answer: to connect, to be let in, to start docker.
ANSWER_SECONDS = 30
# It asks nobody: a question would wait for somebody to see it, and once for each connection.
OPTIONS = (
    *("-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_SECONDS}"),
    *("-o", f"ServerAliveInterval={ALIVE_SECONDS}", "-o", "ServerAliveCountMax=3"),
)
PING = "GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"
# What ssh says at its end, and what its user can do about it.
REMEDIES = {
    "Host key verification failed": "`{by_hand}` once shows its key, and asks whether to trust it",
    "Permission denied (": "give {host} a key of yours, without a password or in ssh-agent",
}
# How a shell ends that finds no such program, in whatever words; ssh hands it on.
NOT_FOUND = 127
NO_DOCKER = "no docker is on the PATH that ssh gives there"


class NotReachedError(Exception):
    """No engine answers by ssh; it says why, in words for a line."""


@contextmanager
def socket_to(address: str) -> Iterator[str]:
    """Give the address of a socket of this machine that leads to an engine by ssh.

    Args:
        address: ssh://[user@]host[:port], and a path behind it if its socket is another one.

    Raises:
        NotReachedError: it does not answer, that is no such address, or there is no ssh.
    """
    argv = command(address)
    _see_that_it_answers(argv)
    with tempfile.TemporaryDirectory(prefix="tf-repro-ssh-") as folder:
        path = Path(folder) / "docker.sock"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            with _each_led_on(listener, argv):
                yield f"unix://{path}"


def command(address: str) -> list[str]:
    """Return what connects its standard input and output with an engine.

    Raises:
        NotReachedError: that is no such address, or there is no ssh on this machine.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise NotReachedError(str(error)) from error
    if not parts.hostname or parts.password or parts.query or parts.fragment:
        raise NotReachedError(f"such an address is {SCHEME}[user@]host[:port][/path.sock]")
    ssh = shutil.which("ssh")
    if not ssh:
        raise NotReachedError("ssh is not on this machine's PATH; install openssh-client")
    # As it is written: a name of ssh's own configuration may have capitals.
    host = parts.netloc.rpartition("@")[2].removesuffix(f":{port}").strip("[]")
    return [
        *(ssh, *OPTIONS),
        *(("-l", parts.username) if parts.username else ()),
        *(("-p", str(port)) if port else ()),
        *("--", host, "docker"),
        *(("--host", shlex.quote(f"unix://{parts.path}")) if parts.path.strip("/") else ()),
        *("system", "dial-stdio"),
    ]


def _see_that_it_answers(argv: Sequence[str]) -> None:
    try:
        asked = processes.finish(argv, input=PING, timeout=ANSWER_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise NotReachedError(f"no answer in {ANSWER_SECONDS} s") from error
    if not asked.stdout.startswith("HTTP/"):
        raise NotReachedError(_reason(argv, asked))


def _reason(argv: Sequence[str], asked: subprocess.CompletedProcess[str]) -> str:
    said = processes.last_words(asked.stderr or asked.stdout).rstrip(".")
    host = argv[argv.index("--") + 1]
    by_hand = shlex.join(_by_hand(argv))
    found = (words for key, words in REMEDIES.items() if key in said)
    remedy = NO_DOCKER if asked.returncode == NOT_FOUND else next(found, "")
    remedy = remedy.format(host=host, by_hand=by_hand)
    return f"{said}; {remedy}" if remedy else said


def _by_hand(argv: Sequence[str]) -> list[str]:
    """Return what a person would type to get to the same host."""
    return ["ssh", *argv[1 + len(OPTIONS) : argv.index("--")], argv[argv.index("--") + 1]]


@contextmanager
def _each_led_on(listener: socket.socket, argv: Sequence[str]) -> Iterator[None]:
    """Lead each connection that a socket is asked for to an engine, while the body runs."""
    running: list[subprocess.Popen[bytes]] = []

    def lead() -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:  # it was shut down
                return
            # The program has the connection for itself. Ctrl-C is for us: what we remove then is
            # removed through it.
            with accepted:
                running[:] = [one for one in running if one.poll() is None]
                running.append(
                    processes.start(
                        argv,
                        stdin=accepted,
                        stdout=accepted,
                        stderr=subprocess.DEVNULL,
                        start_new_session=True,
                    )
                )

    # Programs are tied to the thread that starts them: it lives as long as they may.
    thread = threading.Thread(target=lead, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for one in running:
            one.terminate()
            one.wait()
