"""`FROM org/tf-repro`: a derived image installs what it likes, and TensorFlow stays what it is."""

import os
from collections.abc import Iterator

import pytest

from docker import DockerClient
from scripts import matrix
from scripts.build import build
from scripts.build.build import Built
from scripts.engine.engine import Engine
from scripts.places import exclusive
from scripts.proof import prove
from tests.image.conftest import Install, RunInImage

# Each of pytest-xdist's workers makes and removes an image of its own.
NAME = f"org/tf-repro-derived:{os.environ.get('PYTEST_XDIST_WORKER', 'test')}"


@pytest.fixture(autouse=True)
def removed(client: DockerClient) -> Iterator[None]:
    """Remove the derived image after each test."""
    yield
    if client.images.list(NAME):
        client.images.remove(NAME, force=True)


def test_a_derived_image_is_not_taken_for_ours(
    install: Install, host: Engine, built: Built, client: DockerClient
) -> None:
    """It inherits every label; ours is known by what was built, and not by what it says."""
    before = client.images.get(built.name).id
    done = install("true", NAME)
    assert done.returncode == 0, done.stdout
    with exclusive():
        assert build.build(matrix.load().named("2.15-cpu"), host) == built
    assert client.images.get(built.name).id == before != client.images.get(NAME).id


@pytest.mark.parametrize(
    "command",
    [
        "pip install --no-cache-dir numpy<1.25",
        # Wants numpy<1.25: it would move NumPy without being asked to.
        "pip install --no-cache-dir numba==0.57.1",
        "pip install --no-cache-dir tensorflow==2.16.2",
    ],
)
def test_what_would_move_tensorflow_or_numpy_is_refused(install: Install, command: str) -> None:
    done = install(command, NAME)
    assert done.returncode != 0
    assert "(constraint)" in done.stdout
    assert "conflict" in done.stdout


def test_anything_else_installs_and_the_certificate_stays_out(
    install: Install, run_in_image: RunInImage, client: DockerClient
) -> None:
    done = install("pip install --no-cache-dir uv pandas==2.2.3", NAME)
    assert done.returncode == 0, done.stdout
    derived = RunInImage(client, NAME)
    versions = "import numpy, pandas, tensorflow as tf; print(numpy.__version__, tf.__version__)"
    assert derived(["python", "-c", versions]).stdout == "1.26.4 2.15.1\n"

    certificates = ["sha256sum", "/etc/ssl/certs/ca-certificates.crt"]
    assert derived(certificates).stdout == run_in_image(certificates).stdout

    # uv reads its constraints before it asks any index, so this needs no network either.
    moved = derived(["uv", "pip", "install", "--offline", "numpy<1.25"])
    assert moved.exit_code != 0
    assert "numpy==1.26.4" in moved.stderr


def test_python_can_be_upgraded_without_losing_the_runtime(run_in_image: RunInImage) -> None:
    """An upgrade of Debian's Python brings its sitecustomize back, to where dpkg was told to."""
    where = "dpkg-divert --truename /usr/lib/python3.11/sitecustomize.py"
    assert run_in_image(["bash", "-c", where]).stdout.endswith("sitecustomize.py.distrib\n")


# wandb and streamlit would move protobuf; the others require tensorflow, or have one version that
# fits.
COMPANIONS = ("wandb", "streamlit", "tf-keras", "tensorflow-probability", "scikit-learn")
STILL_OURS = """
import importlib.metadata as metadata, sys
import tensorflow, keras
print(metadata.version("tensorflow"), metadata.version("tensorflow-cpu"), metadata.version("keras"))
print("protobuf", metadata.version("protobuf").split(".")[0])
print("tf-keras", metadata.version("tf-keras"))
print("tensorflow-probability", metadata.version("tensorflow-probability"))
"""


def test_what_people_put_on_it_leaves_tensorflow_as_it_is(
    install: Install, client: DockerClient, run_in_image: RunInImage
) -> None:
    done = install(f"pip install --no-cache-dir {' '.join(COMPANIONS)}", NAME)
    assert done.returncode == 0, done.stdout
    derived = RunInImage(client, NAME)
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3"}  # its lines begin with the time
    said = derived(["python", "-c", STILL_OURS], env=quiet)
    assert said.stdout.splitlines() == [
        "2.15.1 2.15.1 2.15.0",
        "protobuf 4",
        "tf-keras 2.15.1",
        "tensorflow-probability 0.23.0",
    ]
    assert said.stderr == ""
    assert derived(["pip", "check"]).stdout == "No broken requirements found.\n"
    digits = [prove.EXAMPLE / "train.py", prove.EXAMPLE / "digits.csv.gz"]
    digests = [
        ran(
            ["bash", "-c", "python train.py >&2 && sha256sum final.weights.h5"], inputs=digits
        ).stdout
        for ran in (derived, run_in_image)
    ]
    assert digests[0] == digests[1] != ""


def test_tensorflow_is_there_by_both_of_its_names(run_in_image: RunInImage) -> None:
    same = "pip install --no-index 'tensorflow==2.15.*' tensorflow-cpu && pip check"
    done = run_in_image(["bash", "-c", same])
    assert done.exit_code == 0, done.stdout + done.stderr
    shows = "python -c 'import tensorflow as tf; print(tf.__version__)'"
    gone = f"pip uninstall -y tensorflow >&2 && {shows}"
    done = run_in_image(["bash", "-c", gone])
    assert done.stdout == "2.15.1\n", done.stderr


@pytest.mark.parametrize(
    "command",
    ["pip install --no-cache-dir protobuf>=5", "pip install --no-cache-dir tf-keras>=2.16"],
)
def test_what_tensorflow_cannot_work_with_is_refused(install: Install, command: str) -> None:
    done = install(command, NAME)
    assert done.returncode != 0
    assert "constraint" in done.stdout
