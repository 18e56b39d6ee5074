"""A second BuildKit on this machine: that of another private engine, behind a socket of its own.

An engine gives its BuildKit away on /grpc, to whoever upgrades the connection; buildx's driver
`remote` wants a socket that is BuildKit's from its first byte on. Between the two is one request.
https://docs.docker.com/reference/api/engine/
"""

from __future__ import annotations

import socket
import threading
from pathlib import Path

UPGRADE = b"POST /grpc HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
CHUNK = 1 << 16


class Bridge:
    """A Unix socket, each connection to which is one to the BuildKit of an engine."""

    def __init__(self, path: Path, engine: Path) -> None:
        """Make the socket at `path`; `engine` is the engine's own."""
        self._engine = str(engine)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()

    def __enter__(self) -> Bridge:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as engine:
            engine.connect(self._engine)
            engine.sendall(UPGRADE)
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += engine.recv(1)
            assert answer.startswith(b"HTTP/1.1 101"), answer
            back = threading.Thread(target=_copy, args=(engine, client), daemon=True)
            back.start()
            _copy(client, engine)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        # The other side hung up; buildx says so if that was too early.
        return
