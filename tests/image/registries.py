"""A real registry on this machine: Debian's docker-registry, unpacked and not installed."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import requests

from scripts.processes import DIES_WITH_US
from scripts.registry.api import Repository
from tests.image.debian import unpacked
from tests.image.ports import free_port

PATIENCE = 30.0
CONFIG = """\
version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: {folder}/blobs}}
http:
  addr: 127.0.0.1:{port}
{auth}"""
LOGIN = """\
auth:
  htpasswd: {{realm: test, path: {path}}}
"""


def unpack(folder: Path) -> Path:
    """Return the program."""
    return unpacked("docker-registry", folder) / "usr/bin/docker-registry"


@dataclass
class Registry:
    """A registry with a folder and a port of its own; `htpasswd` names who may use it."""

    program: Path
    folder: Path
    htpasswd: str = ""

    def __enter__(self) -> Registry:
        self.port = free_port()
        self.folder.mkdir(exist_ok=True)
        users = self.folder / "htpasswd"
        users.write_text(self.htpasswd)
        auth = LOGIN.format(path=users) if self.htpasswd else ""
        config = self.folder / "config.yml"
        config.write_text(CONFIG.format(folder=self.folder, port=self.port, auth=auth))
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*DIES_WITH_US, self.program, "serve", config],
                env={"PATH": os.environ["PATH"]},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._await()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def host(self) -> str:
        """What comes before the repository's name."""
        return f"127.0.0.1:{self.port}"

    def repository(self, name: str) -> Repository:
        """Return a client of one of its repositories."""
        return Repository(self.host, name)

    def tags(self, name: str) -> set[str]:
        """Return the tags of a repository, asked without the kit's own client."""
        answer = requests.get(f"http://{self.host}/v2/{name}/tags/list", timeout=10)
        return set(answer.json().get("tags") or [])

    def _await(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            try:
                requests.get(f"http://{self.host}/v2/", timeout=1)
            except requests.ConnectionError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError((self.folder / "log").read_text())
