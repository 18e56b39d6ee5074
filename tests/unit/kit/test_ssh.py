"""An engine by ssh: what is asked of ssh, and what is said where no engine answers.

In place of ssh is a program of that name; tests/image/test_engines_by_ssh.py has a real one.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from scripts.engine import connection, elsewhere, ssh
from scripts.errors import KitError

# An engine that knows its version, and nothing else; it notes that somebody has come.
ANSWERS = f"""#!{sys.executable}
import os, pathlib, sys
with pathlib.Path(sys.argv[0]).with_name("asked").open("a") as asked:
    asked.write(" ".join([str(os.getpid()), *sys.argv[1:]]) + "\\n")
body = '{{"ApiVersion": "1.44"}}'
for line in iter(sys.stdin.buffer.readline, b""):
    if not line.strip():
        print(f"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\n"
              f"Content-Length: {{len(body)}}\\r\\n\\r\\n{{body}}", end="", flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is first on PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def stand_in(folder: Path, program: str) -> None:
    """Put a program in place of ssh."""
    (folder / "ssh").write_text(program)
    (folder / "ssh").chmod(0o755)


def test_a_connection_here_is_one_there_and_none_is_left(folder: Path) -> None:
    stand_in(folder, ANSWERS)
    with connection.opened("ssh://me@Far.example:2222", "far") as client:
        assert client.version() == {"ApiVersion": "1.44"}
        address = client.api.base_url
    assert address.startswith("http+docker://")
    asked = (folder / "asked").read_text().splitlines()
    assert len(asked) >= 2, "the first one only asks whether it is there"
    for line in asked:
        options, _, command = line.partition(" -- ")
        assert command == "Far.example docker system dial-stdio"
        assert options.endswith(" -l me -p 2222")
        assert "BatchMode=yes" in options
        assert not Path(f"/proc/{options.partition(' ')[0]}").exists()


@pytest.mark.parametrize(
    ("address", "end"),
    [
        ("ssh://laptop", "-- laptop docker system dial-stdio"),
        ("ssh://laptop/", "-- laptop docker system dial-stdio"),
        ("ssh://me@laptop", "-l me -- laptop docker system dial-stdio"),
        ("ssh://laptop:22", "-p 22 -- laptop docker system dial-stdio"),
        ("ssh://[::1]:22", "-p 22 -- ::1 docker system dial-stdio"),
        ("ssh://-oProxyCommand=x", "-- -oProxyCommand=x docker system dial-stdio"),
        (
            "ssh://laptop/run/user/1000/docker.sock",
            "-- laptop docker --host unix:///run/user/1000/docker.sock system dial-stdio",
        ),
        ("ssh://laptop/a;b", "-- laptop docker --host 'unix:///a;b' system dial-stdio"),
    ],
)
def test_what_an_address_says(folder: Path, address: str, end: str) -> None:
    stand_in(folder, "")
    options = " ".join(ssh.OPTIONS)
    assert " ".join(ssh.command(address)) == f"{folder / 'ssh'} {options} {end}"


@pytest.mark.parametrize(
    ("status", "said", "words"),
    [
        (
            255,
            "Host key verification failed.",
            r"Host key verification failed; `ssh -p 2222 far` once shows its key",
        ),
        (255, "me@far: Permission denied (publickey).", r"\(publickey\); give far a key of yours"),
        (127, "bash: line 1: docker: command not found", "no docker is on the PATH that ssh"),
        (127, "fish: Unknown command: docker", "no docker is on the PATH that ssh gives there"),
        (255, "ssh: connect to host far port 2222: Connection refused", "Connection refused"),
        (
            255,
            "ssh: Could not resolve hostname far: Name or service not known",
            "not resolve hostname",
        ),
        (255, "", "it failed and said nothing"),
    ],
)
def test_a_host_that_gives_no_engine_is_one_line(
    folder: Path, status: int, said: str, words: str
) -> None:
    saying = f"echo 'a banner' >&2\necho '{said}' >&2\n" if said else ""
    stand_in(folder, f"#!/bin/sh\n{saying}exit {status}\n")
    with pytest.raises(KitError, match=rf"^far: no Docker engine answers there .*{words}") as told:
        connection.see_that_it_answers("ssh://far:2222", "far")
    assert "\n" not in str(told.value)


def test_a_host_that_says_nothing_is_not_waited_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(folder, "#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(ssh, "ANSWER_SECONDS", 0.5)
    begun = time.monotonic()
    with pytest.raises(KitError, match=r"^far: no Docker engine answers there \(no answer in"):
        connection.see_that_it_answers("ssh://far", "far")
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("address", ["ssh://", "ssh://far:none", "ssh://me:word@far", "ssh://f?q"])
def test_what_is_no_address_is_one_line(folder: Path, address: str) -> None:
    stand_in(folder, ANSWERS)
    with pytest.raises(KitError, match=r"^far: no Docker engine answers there \(") as told:
        connection.see_that_it_answers(address, "far")
    assert "word" not in str(told.value)


def test_a_machine_without_ssh_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KitError, match=r"ssh is not on this machine's PATH; install openssh-cli"):
        connection.see_that_it_answers("ssh://far", "far")


def test_an_engine_that_is_lost_meanwhile_is_one_line(folder: Path) -> None:
    stand_in(folder, ANSWERS)

    def ask() -> None:
        with connection.opened("ssh://far", "far") as client:
            client.close()
            stand_in(folder, "#!/bin/sh\nexit 255\n")
            with elsewhere.asking("far"):
                client.version()

    with pytest.raises(KitError) as told:
        ask()
    assert str(told.value).startswith("far: the engine fails (")
    assert "\n" not in str(told.value)
