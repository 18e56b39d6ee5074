"""JupyterLab in a derived image, as the page says: kernels begin at the seed, each by itself."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from docker import DockerClient
from scripts.engine import containers
from tests.image.conftest import OWNER, Install, RunInImage, derived
from tests.pages import dockerfiles

if TYPE_CHECKING:
    from docker.models.containers import Container

NAME = "org/tf-repro-jupyter:test"
(PAGE,) = (one for one in dockerfiles() if "jupyterlab" in one)
USER = "12345:0"

# Prints what two kernels of the server draw in turns, and one of them restarted.
PROGRAM = """
import json, sys, urllib.request
from jupyter_client import BlockingKernelClient, find_connection_file

address, token = sys.argv[1:]

def ask(path):
    headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}/api/kernels{path}", b"{}", headers)
    return json.load(urllib.request.urlopen(request))

def connected(kernel):
    client = BlockingKernelClient(connection_file=find_connection_file(kernel))
    client.load_connection_file()
    client.start_channels(hb=False)  # a busy kernel that beats once a second is taken for dead
    client.wait_for_ready(timeout=60)
    return client

def drawn(client):
    said = []
    def hook(message):
        said.append(message["content"].get("text", "") or str(message["content"].get("evalue", "")))
    client.execute_interactive(DRAW, timeout=120, output_hook=hook)
    return "".join(said).strip()

DRAW = '''
import random, numpy, tensorflow
print(random.random(), numpy.random.rand(), float(tensorflow.random.normal([])), hash("x"))
'''
first, second = (ask("")["id"] for _ in range(2))
one, other = connected(first), connected(second)
seen = [drawn(one), drawn(other), drawn(one), drawn(other)]
ask(f"/{first}/restart")
print(json.dumps([*seen, drawn(connected(first))]))
"""
SCRIPT = """
import random, numpy, tensorflow
for _ in range(2):
    print(random.random(), numpy.random.rand(), float(tensorflow.random.normal([])), hash("x"))
"""
ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+)/lab\?token=([0-9a-f]+)")


@pytest.fixture(scope="module")
def with_jupyter(install: Install, client: DockerClient) -> Iterator[RunInImage]:
    command = re.search(r"^RUN (.*)$", PAGE, re.MULTILINE)
    assert command is not None
    yield from derived(install, client, command[1], NAME)


@pytest.fixture(params=["deterministic", "off"])
def server(
    request: pytest.FixtureRequest, client: DockerClient, with_jupyter: RunInImage
) -> Iterator[Container]:
    command = re.search(r"^CMD (.*)$", PAGE, re.MULTILINE)
    assert command is not None
    container = client.containers.create(
        with_jupyter.image,
        json.loads(command[1]),
        user=USER,
        working_dir="/tmp",
        environment={"TF_CPP_MIN_LOG_LEVEL": "3", "TF_REPRO": request.param},
        labels={containers.LABEL: OWNER},
    )
    try:
        container.start()
        yield container
    finally:
        container.remove(force=True)


def address(server: Container) -> tuple[str, str]:
    """Return the address that the server says, and the token, once it is there."""
    for _ in range(120):
        found = ADDRESS.search(server.logs().decode())
        if found:
            return found[1], found[2]
        time.sleep(0.5)
    raise AssertionError(server.logs().decode())


def test_kernels_begin_at_the_seed_and_leave_each_other_alone(
    server: Container, with_jupyter: RunInImage, request: pytest.FixtureRequest
) -> None:
    """The control is a server that is switched off: all that its kernels draw differs."""
    done = server.exec_run(["python", "-c", PROGRAM, *address(server)], user=USER)
    assert isinstance(done.output, bytes)  # it is not streamed
    said = done.output.decode()
    assert done.exit_code == 0, said
    seen = json.loads(said.splitlines()[-1])
    if request.node.callspec.params["server"] == "off":
        assert len(set(seen)) == 5
        return
    script = with_jupyter(["python", "-c", SCRIPT], env={"TF_CPP_MIN_LOG_LEVEL": "3"})
    first, second = script.stdout.splitlines()
    assert first != second
    assert seen == [first, first, second, second, first]
