"""`make verify ENGINES="… ssh://…"`: an engine of another host, by a real ssh and a real sshd."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.build.build import Built
from scripts.engine import connection
from scripts.engine.engine import Engine
from scripts.errors import KitError
from tests.image import sshd
from tests.image.conftest import Kit
from tests.image.second_engine import address, engine_files, second_engine
from tests.image.sshd import Host

PROGRAM = Path(__file__).parent / "verify" / "normalised.py"
SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> sshd.Programs:
    return sshd.programs(tmp_path_factory.mktemp("openssh"))


def docker_there() -> str:
    """Return what PATH is on a host that has docker."""
    return f"{engine_files() / 'usr/bin'}:{SYSTEM}"


def test_runs_are_one_result_by_address_and_by_context(
    kit: Kit, host: Engine, built: Built, programs: sshd.Programs, tmp_path: Path
) -> None:
    reports, config = tmp_path / "reports", {"DOCKER_CONFIG": str(tmp_path / "docker")}
    with second_engine(tmp_path / "engine") as far:
        env = {"DOCKER_HOST": address(far), "PATH": docker_there()}
        with sshd.sshd(programs, tmp_path / "host", env) as there:
            make = f"{host.docker} context create far --docker host={there.address}"
            subprocess.run(make.split(), env={**os.environ, **config}, check=True)
            for name in (there.address, "far"):
                engines = f"--engines={host.host} {name}"
                argv = ("verify", "--runs=2", engines, f"--into={reports}", "--", str(PROGRAM))
                status, said = kit(*argv, PATH=there.path, **config)
                assert status == 0, said
                assert (f"transferring {built.name} to {name}" in said) == (name != "far"), said
                assert f"{name}: run 2: as the first run" in said
                rows = json.loads((reports / "report.json").read_text())["engines"]
                assert [row["engine"] for row in rows] == [host.host, name]


def forget(there: Host) -> None:
    (there.folder / "known_hosts").write_text("")


def lose_key(there: Host) -> None:
    (there.folder / "user").unlink()


def leave(there: Host) -> None:
    assert there.port


@pytest.mark.parametrize(
    ("path", "before", "words"),
    [
        ("docker", leave, r"no such file or directory"),
        ("docker", forget, r"Host key verification failed; `ssh -l root -p \d+ 127.0.0.1` once"),
        ("docker", lose_key, r"Permission denied \(.*\); give 127.0.0.1 a key of yours"),
        ("nothing", leave, r"no docker is on the PATH that ssh gives there"),
    ],
    ids=["no engine", "unknown host", "no key", "no docker"],
)
def test_a_host_without_an_engine_for_us_is_one_line(
    programs: sshd.Programs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    before: Callable[[Host], None],
    words: str,
) -> None:
    paths = {"docker": docker_there(), "nothing": SYSTEM}
    env = {"DOCKER_HOST": "unix:///nowhere/docker.sock", "PATH": paths[path]}
    with sshd.sshd(programs, tmp_path / "host", env) as there:
        before(there)
        monkeypatch.setenv("PATH", there.path)
        with pytest.raises(KitError, match=rf"^far: no Docker engine answers .*{words}") as told:
            connection.see_that_it_answers(there.address, "far")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("listens", [True, False])
def test_a_host_that_does_not_answer_is_one_line(
    programs: sshd.Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listens: bool
) -> None:
    """One takes the connection and says nothing, and one has no sshd."""
    with sshd.sshd(programs, tmp_path / "host", {"PATH": SYSTEM}) as there:
        monkeypatch.setenv("PATH", there.path)
    with socket.socket() as silent:
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        silent.bind(("127.0.0.1", there.port))
        if listens:
            silent.listen()
        begun = time.monotonic()
        words = "timed out|no answer" if listens else "Connection refused"
        with pytest.raises(KitError, match=rf"^far: no Docker engine answers .*({words})"):
            connection.see_that_it_answers(there.address, "far")
    assert time.monotonic() - begun < 20
