"""What the tests of the kit share."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import NonCallableMock

import pytest

from docker import DockerClient
from scripts import matrix
from scripts.engine.engine import Engine


@pytest.fixture
def chosen() -> matrix.Chosen:
    """An image of the committed matrix."""
    return matrix.load().named("2.15-cpu")


@pytest.fixture
def no_engine() -> Engine:
    """An engine of which nothing may be asked."""
    client = NonCallableMock(spec_set=DockerClient)
    return Engine("unix:///nowhere/docker.sock", Path("docker"), ("docker", "buildx"), client)
