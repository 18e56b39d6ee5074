"""`make image BUILDER=…`: another BuildKit builds the same bytes, and they come to this engine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from docker import DockerClient
from scripts.build.build import Built
from scripts.engine import engine
from scripts.places import data_root
from tests.image.conftest import Kit, second_data_root
from tests.image.second_buildkit import Bridge
from tests.image.second_engine import second_engine
from tests.image.test_broken import error_of

NAME = "org/tf-repro-elsewhere"


@pytest.fixture
def elsewhere(tmp_path: Path, host: engine.Engine) -> Iterator[dict[str, str]]:
    """A second engine, which has never built anything, as a remote builder of the name `far`."""
    env = {"BUILDX_CONFIG": str(tmp_path / "buildx")}
    with second_engine(tmp_path / "engine") as second:
        bridge = second.socket.with_name("buildkit.sock")
        with Bridge(bridge, second.socket):
            create = ("create", "--name=far", "--driver=remote")
            subprocess.run(
                [*host.buildx, *create, f"unix://{bridge}"],
                env={**os.environ, **host.env, **env},
                capture_output=True,
                check=True,
            )
            yield env


@pytest.fixture
def fresh(tmp_path: Path, built: Built) -> str:  # noqa: ARG001 - what it makes is used
    """A data root that has the downloads and the root file system, and has built no image."""
    root = second_data_root(tmp_path)
    (root / "rootfs").symlink_to(data_root() / "rootfs")
    return str(root)


def test_a_remote_builder_builds_the_same_bytes(
    kit: Kit, elsewhere: dict[str, str], fresh: str, built: Built, client: DockerClient
) -> None:
    env = {**elsewhere, "TF_REPRO_DATA": fresh, "IMAGE_NAME": NAME}
    try:
        status, said = kit("build", BUILDER="far", **env)
        assert status == 0, said
        # It was built there and not taken from here, step by step.
        assert "[tensorflow 1/1] RUN" in said
        assert "loading the image into the engine: done" in said
        assert f"{NAME}:2.15-cpu and {NAME}:2.15.1-cpu: {built.config_digest}" in said
        assert "2.15-cpu matches images/2.15-cpu/image.lock" in said
        layers = [
            client.images.get(name).attrs["RootFS"] for name in (built.name, f"{NAME}:2.15-cpu")
        ]
        assert layers[0] == layers[1]
        # What is there is not built twice, wherever.
        status, said = kit("build", BUILDER="far", **env)
        assert status == 0, said
        assert f"{NAME}:2.15-cpu is up to date: {built.config_digest}" in said
    finally:
        for image in client.images.list(NAME):
            for name in image.tags:
                if name.startswith(NAME):
                    client.images.remove(name)


def test_a_builder_that_is_not_there_is_one_line(kit: Kit, tmp_path: Path, fresh: str) -> None:
    env = {"BUILDX_CONFIG": str(tmp_path / "buildx"), "TF_REPRO_DATA": fresh}
    status, said = kit("build", BUILDER="nobody", **env)
    assert status == 2
    line = error_of(said)
    assert 'BUILDER=nobody: ERROR: no builder "nobody" found; `docker buildx ls` lists' in line
