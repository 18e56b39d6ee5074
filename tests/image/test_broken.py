"""What is missing or broken is one clear line with the remedy, and never a traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from docker import DockerClient
from scripts.engine import dockerd, engine, image_store
from scripts.errors import KitError
from scripts.places import REPO
from tests.image.conftest import Kit, second_data_root
from tests.image.second_engine import address, second_engine


def error_of(said: str) -> str:
    """Return the one line that ends a failed verb."""
    assert "Traceback" not in said, said
    (line,) = [line for line in said.splitlines() if line.startswith("error: ")]
    assert said.rstrip().endswith(line)
    return line


def test_an_engine_that_does_not_answer(kit: Kit) -> None:
    status, said = kit("build", DOCKER_HOST="unix:///nowhere/docker.sock")
    assert status == 2
    assert "unix:///nowhere/docker.sock: no Docker engine answers there" in error_of(said)


@pytest.mark.parametrize("kind", ["debs", "wheels"])
@pytest.mark.usefixtures("built")
def test_one_byte_changed_in_a_locked_file(kit: Kit, tmp_path: Path, kind: str) -> None:
    root = second_data_root(tmp_path)
    victim = max((root / kind).iterdir(), key=lambda path: path.stat().st_size)
    with victim.open("r+b") as file:
        file.seek(1000)
        byte = file.read(1)
        file.seek(1000)
        file.write(bytes([byte[0] ^ 1]))
    status, said = kit("build", TF_REPRO_DATA=str(root))
    assert status == 2
    line = error_of(said)
    assert f"{victim}: expected sha256 " in line
    assert ", found " in line


@pytest.mark.usefixtures("built")
def test_no_network(tmp_path: Path) -> None:
    """The engine is asked over its socket, so only the downloads miss the network."""
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-m", "scripts", "build"],
        cwd=REPO,
        env={**os.environ, "TF_REPRO_DATA": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Debian" in error_of(done.stderr)


def test_a_disk_that_is_too_small(kit: Kit, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", small], check=True)
    try:
        status, said = kit("build", TF_REPRO_DATA=str(small))
    finally:
        subprocess.run(["umount", small], check=True)
    assert status == 2
    line = error_of(said)
    assert f"{small}: building 2.15-cpu needs 8.0 GB of free disk and 0.1 GB are there" in line


def test_a_host_without_apt(kit: Kit, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("setpriv", "git", "docker"):
        if path := shutil.which(name):
            (programs / name).symlink_to(path)
    status, said = kit("lock", PATH=str(programs), TF_REPRO_DATA=str(tmp_path / "data"))
    assert status == 2
    assert "apt-get is not on this machine's PATH" in error_of(said)


def test_an_image_that_is_not_in_the_matrix(kit: Kit) -> None:
    status, said = kit("build", "--image", "2.99-cpu")
    assert status == 2
    assert "IMAGE=2.99-cpu: no such image" in error_of(said)


@pytest.fixture
def classic_engine(tmp_path: Path) -> Iterator[engine.Engine]:
    """A second private engine, with the classic image store and no network."""
    with second_engine(tmp_path / "engine", containerd_store=False) as private:
        docker, buildx = (private.files / name for name in (dockerd.CLIENT, dockerd.BUILDX))
        with closing(DockerClient(base_url=address(private))) as client:
            yield engine.Engine(address(private), docker, (str(buildx),), client)


def test_an_engine_whose_store_is_not_reproducible(classic_engine: engine.Engine) -> None:
    with pytest.raises(KitError) as caught:
        image_store.reproducible_builder(classic_engine)
    line = str(caught.value)
    assert "image store cannot export reproducibly" in line
    assert '{"features": {"containerd-snapshotter": true}} into /etc/docker/daemon.json' in line
    assert "\n" not in line
