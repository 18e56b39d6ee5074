"""A build that is killed leaves nothing half done behind, and the next one goes on from there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from docker import DockerClient
from scripts.build.build import Built
from scripts.engine import containers
from scripts.places import REPO, data_root
from tests.image.conftest import Kit, second_data_root

NAME = "org/tf-repro-killed"
# When the build says this, it is killed so many seconds later.
MOMENTS = [
    ("root file system: Debian bookworm", 4.0),  # mmdebstrap has its mounts in place
    ("[tensorflow 1/1] RUN", 5.0),  # pip installs
    ("exporting to image", 2.0),  # BuildKit writes layers
]
PATIENCE = 30.0


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The tree with a build step of its own, so that nothing comes from the build cache."""
    there = tmp_path / "checkout"
    shutil.copytree(
        REPO, there, ignore=shutil.ignore_patterns(".venv", ".git", ".*_cache", "__pycache__")
    )
    with (there / "docker/steps/settle-times.sh").open("a") as script:
        script.write(f"# {time.time_ns()}\n")
    return there


@pytest.fixture
def env(
    built: Built,  # noqa: ARG001 - its downloads are there
    tmp_path: Path,
    client: DockerClient,
) -> Iterator[dict[str, str]]:
    """A data root of its own that has the downloads, and another name for the image."""
    root = second_data_root(tmp_path)
    yield {**os.environ, "TF_REPRO_DATA": str(root), "IMAGE_NAME": NAME}
    for image in client.images.list(NAME):
        client.images.remove(str(image.id), force=True)


def start(checkout: Path, env: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "scripts", "build"],
        cwd=checkout,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def kill_at(process: subprocess.Popen[str], mark: str, seconds: float) -> None:
    assert process.stdout
    for line in process.stdout:
        if mark in line:
            break
    else:
        pytest.fail(f"the build ended before it said {mark!r}")
    time.sleep(seconds)
    assert process.poll() is None, "the build was over before it could be killed"
    # Not its process group: what it started has to notice by itself.
    process.kill()
    process.wait()


def eventually(nothing_left: Callable[[], list[str]]) -> None:
    deadline = time.monotonic() + PATIENCE
    while left := nothing_left():
        assert time.monotonic() < deadline, left
        time.sleep(0.2)


def mounts_below(folder: str) -> list[str]:
    return [line for line in Path("/proc/mounts").read_text().splitlines() if folder in line]


def processes_of(folder: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if folder in command:
            found.append(command)
    return found


def test_killed_at_any_moment(checkout: Path, env: dict[str, str], client: DockerClient) -> None:
    root = env["TF_REPRO_DATA"]
    for mark, seconds in MOMENTS:
        kill_at(start(checkout, env), mark, seconds)
        eventually(lambda: mounts_below(root))
        eventually(lambda: processes_of(root))
        assert client.images.list(NAME) == []
        assert (
            client.containers.list(all=True, filters={"label": f"{containers.LABEL}={root}"}) == []
        )

    last = start(checkout, env)
    said, _ = last.communicate(timeout=600)
    assert last.returncode == 0, said
    # What was whole before the kill is not made again.
    assert "root file system: Debian" not in said
    assert {tag for image in client.images.list(NAME) for tag in image.tags} == {
        f"{NAME}:2.15-cpu",
        f"{NAME}:2.15.1-cpu",
    }


@pytest.mark.alone
def test_stopped_while_training(kit: Kit, built: Built, client: DockerClient) -> None:
    """Ctrl-C and SIGTERM end the container with the proof."""
    ours: dict[str, str | list[str] | bool] = {"label": f"{containers.LABEL}={data_root()}"}
    process = kit.start("prove")
    deadline = time.monotonic() + PATIENCE
    while not client.containers.list(filters=ours):
        assert time.monotonic() < deadline, f"no training of {built.name} began"
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "the same command goes on from here" in said
    assert client.containers.list(all=True, filters=ours) == []


@pytest.mark.alone
def test_a_verification_removes_what_a_killed_one_left(
    kit: Kit, built: Built, client: DockerClient, tmp_path: Path
) -> None:
    """A killed kit cannot end what it has started: the next one does, and first of all."""
    ours: dict[str, str | list[str] | bool] = {"label": f"{containers.LABEL}={data_root()}"}
    endless, script = tmp_path / "endless" / "train.py", tmp_path / "brief" / "train.py"
    for path, text in ((endless, "import time; time.sleep(3600)"), (script, "print(1)")):
        path.parent.mkdir()
        path.write_text(text)
    process = kit.start("verify", f"--into={tmp_path / 'endless'}", "--", str(endless))
    deadline = time.monotonic() + PATIENCE
    while not client.containers.list(filters=ours):
        assert time.monotonic() < deadline, f"no run in {built.name} began"
        time.sleep(0.2)
    process.kill()
    process.communicate()
    (left,) = client.containers.list(filters=ours)
    volume = client.volumes.create(labels={containers.LABEL: str(data_root())})
    status, said = kit("verify", "--runs=2", f"--into={tmp_path / 'brief'}", "--", str(script))
    assert status == 0, said
    assert "removed 1 containers of a run that was killed" in said
    assert client.containers.list(all=True, filters={"id": str(left.id)}) == []
    assert client.volumes.list(filters={"name": str(volume.name)}) == []
