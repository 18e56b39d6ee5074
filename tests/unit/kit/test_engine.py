"""Which engine is used, and what is said where none can be."""

from __future__ import annotations

import os
import re
import shutil
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar, cast

import pytest

import docker
from scripts import places, processes
from scripts.build import bake
from scripts.engine import connection, dockerd, engine, image_store, private_engine
from scripts.errors import KitError


def test_the_users_own_engine_is_asked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://engine.example:2376")
    assert engine.chosen_host() == "tcp://engine.example:2376"


def test_an_engine_that_we_may_not_talk_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise docker.errors.DockerException("Error: PermissionError(13, 'Permission denied')")

    monkeypatch.setattr(docker, "DockerClient", refuse)
    with pytest.raises(KitError, match=r"permission denied; run as root, or .*`usermod -aG docker"):
        connection.answers("unix:///var/run/docker.sock")


class Client:
    """A connection that notes whether it is open."""

    opened: ClassVar[list[Client]] = []

    def __init__(self, base_url: str, timeout: int, **_: object) -> None:
        self.address, self.api, self.closed = base_url, SimpleNamespace(timeout=timeout), False
        self.opened.append(self)

    def close(self) -> None:
        """Note it."""
        self.closed = True


def test_a_verb_has_one_connection_and_closes_it_however_it_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Client, "opened", [])
    monkeypatch.setattr(docker, "DockerClient", Client)
    monkeypatch.setattr(connection, "see_that_it_answers", lambda *_: None)
    monkeypatch.setattr(engine, "_programs", lambda: (Path("docker"), ("docker", "buildx")))
    monkeypatch.setenv("DOCKER_HOST", "tcp://engine.example:2376")

    def work() -> None:
        with engine.connected() as host:
            (client,) = Client.opened
            assert host.client is cast("object", client)
            assert client.address == host.host == "tcp://engine.example:2376"
            assert not client.closed
            raise KitError("the verb failed")

    with pytest.raises(KitError, match="the verb failed"):
        work()
    assert [one.closed for one in Client.opened] == [True]


def test_nobody_else_connects() -> None:
    opens = [
        str(path.relative_to(places.REPO / "scripts"))
        for path in (places.REPO / "scripts").rglob("*.py")
        if re.search(r"(DockerClient|from_env|APIClient)\(", path.read_text())
    ]
    assert opens == ["engine/connection.py"]


@pytest.mark.parametrize("listens", [True, False])
def test_an_engine_that_hangs_keeps_its_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, listens: bool
) -> None:
    """What is left of one that is gone is a file, at which nobody takes a connection."""
    path, started = tmp_path / "docker.sock", list[dockerd.Private]()
    monkeypatch.setattr(dockerd, "DEFAULT_SOCKET", path)
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(engine, "chosen_host", lambda: None)
    monkeypatch.setattr(dockerd, "start", started.append)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        if listens:
            silent.listen()
            with pytest.raises(KitError, match=r"an engine is there and does not answer in 0.2 s"):
                engine._require()
        else:
            assert engine._require() == f"unix://{path}"
    assert len(started) == (not listens)


def test_only_root_starts_an_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(KitError, match="no Docker engine answers and only root can start one"):
        dockerd.start(dockerd.Private(tmp_path))


def test_another_process_with_that_number_is_not_our_engine(tmp_path: Path) -> None:
    private = dockerd.Private(tmp_path)
    private.pid_file.write_text(str(os.getpid()))
    assert private.pid() is None
    assert not dockerd.stop(private)


def test_the_socket_of_a_deep_data_root_is_short_enough(tmp_path: Path) -> None:
    private = dockerd.Private(tmp_path / ("deep/" * 40))
    assert len(str(private.run_root / "containerd/containerd-debug.sock")) < 107


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ([["driver-type", "io.containerd.snapshotter.v1"]], True),
        ([["Backing Filesystem", "extfs"], ["Supports d_type", "true"]], False),
        (None, False),
    ],
)
def test_which_image_store(status: object, *, expected: bool) -> None:
    assert image_store.uses_containerd_store({"DriverStatus": status}) is expected


def test_too_little_disk_says_how_much_is_there_and_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    usage = SimpleNamespace(free=int(1.5e9))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(KitError, match=r"needs 8\.0 GB of free disk and 1\.5 GB are there"):
        places.require_disk(tmp_path, 8, "building")


def test_a_data_root_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TF_REPRO_DATA", str(tmp_path / "file"))
    with pytest.raises(KitError, match="set TF_REPRO_DATA to a folder that you can write to"):
        places.data_folder("debs")


def test_clean_deletes_only_what_is_ours(data_root: Path) -> None:
    places.data_folder("debs")
    (data_root / "holiday.jpg").touch()
    places.delete_data()
    assert [path.name for path in data_root.iterdir()] == ["holiday.jpg"]


def test_a_failed_program_is_one_line() -> None:
    with pytest.raises(KitError, match=r"^sh: E: it is broken$"):
        processes.run(["sh", "-c", "echo one; echo 'E: it is broken' >&2; echo later >&2; exit 3"])


def test_a_failed_step_is_told_by_its_own_words(tmp_path: Path) -> None:
    lines = [
        '{"vertexes": [{"digest": "d", "name": "[image 1/1] RUN pip", "started": "now"}]}',
        '{"logs": [{"vertex": "d", "data": "RVJST1I6IG5vIHNwYWNlIGxlZnQKCg=="}]}',
        '{"vertexes": [{"digest": "d", "name": "RUN", "started": "now", "error": "exit 1"}]}',
    ]
    with (tmp_path / "log").open("w") as log:
        assert bake.follow(lines, log) == "ERROR: no space left"
    assert (tmp_path / "log").read_text() == "ERROR: no space left\n\n"


def test_an_iptables_of_the_hosts_own_keeps_its_extensions(tmp_path: Path) -> None:
    """What the host has installed is not unpacked, and ours would have none to offer it."""
    assert "XTABLES_LIBDIR" not in private_engine.environment(tmp_path)
    extensions = tmp_path / "usr/lib/x86_64-linux-gnu/xtables"
    extensions.mkdir(parents=True)
    assert private_engine.environment(tmp_path)["XTABLES_LIBDIR"] == str(extensions)
