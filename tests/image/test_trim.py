"""What is left out of the image is missed by nothing: not by pip, nor by ops that are built."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from docker import DockerClient
from tests.image.conftest import Install, RunInImage, derived

OP = Path(__file__).parent / "custom_op"
NAME = "org/tf-repro-custom-op:test"
CHECK_FILES = """
import importlib.metadata as m, pathlib
for package in m.distributions():
    for file in package.files or ():
        path = pathlib.Path(package.locate_file(file))
        if path.suffix != ".pyc" and not path.exists():
            print(package.name, file)
"""


def test_every_file_that_a_package_records_is_there(run_in_image: RunInImage) -> None:
    done = run_in_image(["python", "-c", CHECK_FILES])
    assert done.exit_code == 0, done.stderr
    assert done.stdout == ""


def test_a_trimmed_package_can_be_uninstalled(run_in_image: RunInImage) -> None:
    done = run_in_image(["python", "-m", "pip", "uninstall", "--yes", "libclang"])
    assert done.exit_code == 0, done.stderr
    assert "Successfully uninstalled libclang" in done.stdout


@pytest.fixture
def with_compiler(install: Install, client: DockerClient) -> Iterator[RunInImage]:
    yield from derived(install, client, "sh /mnt/context/compiler.sh", NAME, OP)


def test_a_custom_op_builds_and_runs(with_compiler: RunInImage) -> None:
    """With the flags that TensorFlow gives, out of the headers and the stripped library."""
    done = with_compiler(["bash", "build.sh"], inputs=[OP / "twice.cc", OP / "build.sh"])
    assert done.exit_code == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "[2. 4. 6.]"
