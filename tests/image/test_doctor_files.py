"""Who breaks out of the constraints is told, when he asks, what is not the proved set any more."""

import json
from collections.abc import Iterator

import pytest

from docker import DockerClient
from scripts.locks.wheels import read_lock
from scripts.places import IMAGES
from tests.image.conftest import Install, RunInImage

NAME = "org/tf-repro-broken-out:test"
ASK = ["tf-repro", "doctor", "--files", "--json"]


@pytest.fixture
def removed(client: DockerClient) -> Iterator[None]:
    yield
    if client.images.list(NAME):
        client.images.remove(NAME, force=True)


def test_every_file_of_the_image_is_the_locked_one(run_in_image: RunInImage) -> None:
    """Also those that the image has trimmed, and with a root that nobody can write to."""
    done = run_in_image(ASK, settings={"user": "12345:0", "read_only": True})
    assert (done.exit_code, done.stderr) == (0, "")
    whole = json.loads(done.stdout)
    assert whole["differences"] == []
    wheels = {(one.name, one.version) for one in read_lock(IMAGES / "2.15-cpu/requirements.lock")}
    named = {(one["name"], one["version"]) for one in whole["locked"]}
    assert named == wheels | {("tensorflow", "2.15.1")}  # the name that TensorFlow's wheel has not
    assert done.seconds < 60


@pytest.mark.usefixtures("removed")
def test_another_protobuf_is_named(install: Install, client: DockerClient) -> None:
    done = install("env PIP_CONSTRAINT= pip install --no-cache-dir protobuf>=5 termcolor", NAME)
    assert done.returncode == 0, done.stdout
    assert "requires protobuf" in done.stdout  # pip says what it breaks, and goes on
    derived = RunInImage(client, NAME)(ASK)
    assert derived.exit_code == 1, derived.stderr
    (only,) = json.loads(derived.stdout)["differences"]
    assert (only["kind"], only["distribution"]) == ("replaced", "protobuf")
    name, _, version = only["by"].partition(" ")
    assert name == "protobuf"
    assert int(version.split(".")[0]) >= 5
