"""Every image of the family: it holds what its locks name, trains, and opens its CUDA libraries.

CI builds the oldest, the default and the newest for CPUs, and one for GPUs. `make test-all` takes
all twenty, one after the other, and removes each that was not there before, with the wheels that
only GPU images need.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uv

from docker import DockerClient
from scripts import matrix
from scripts.engine.engine import Engine
from scripts.locks.lock import REQUIREMENTS_LOCK
from scripts.locks.wheels import cached, read_lock
from scripts.places import IMAGES
from scripts.tags import names_of
from tests.image.conftest import RunInImage

KNOWN = matrix.load()
# Images that nobody needs after their tests, where the disk is small: any value removes them.
REMOVE = bool(os.environ.get("TEST_REMOVE"))
STRUCTURE = Path(__file__).parent / "structure.yaml"
OPEN_ALL = Path(__file__).parent / "cuda/open_all.py"
TWO_NAMES = Path(__file__).parent / "companions/two_names.py"
TRAIN = """
import hashlib, keras, tensorflow as tf
model = tf.keras.Sequential([tf.keras.layers.Dense(8, "relu"), tf.keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(tf.random.normal((64, 4)), tf.random.normal((64, 1)), epochs=2, verbose=0)
weights = b"".join(weight.tobytes() for weight in model.get_weights())
print(tf.__version__, keras.__version__, hashlib.sha256(weights).hexdigest())
"""

BUILD_INFO = """
import json, tensorflow as tf
print(json.dumps(tf.sysconfig.get_build_info()["cuda_compute_capabilities"]))
"""


def wanted() -> list[str]:
    """Return the tags to test; KitError lists those that there are."""
    asked = os.environ.get("TEST_IMAGES", "2.12-cpu 2.15-cpu 2.21-cpu 2.15-gpu")
    tags = list(KNOWN.image) if asked == "all" else asked.split()
    for tag in tags:
        KNOWN.named(tag)
    return tags


@dataclass(frozen=True)
class Release:
    """One image, and what it ought to be."""

    tag: str
    chosen: matrix.Chosen
    run: RunInImage


@pytest.fixture(
    scope="module",
    params=[pytest.param(tag, marks=pytest.mark.xdist_group(tag)) for tag in wanted()],
)
def tag(request: pytest.FixtureRequest) -> str:
    """The image of the family that is tried."""
    return str(request.param)


@pytest.fixture(scope="module")
def release(
    tag: str, client: DockerClient, run_in_release: Callable[[str], RunInImage]
) -> Iterator[Release]:
    chosen = KNOWN.named(tag)
    names = names_of(chosen)
    there = bool(client.images.list(name=names[0]))
    yield Release(chosen.tag, chosen, run_in_release(chosen.tag))
    if REMOVE and not there:
        for name in names:
            client.images.remove(name, force=True)
        for wheel in read_lock(IMAGES / chosen.tag / REQUIREMENTS_LOCK):
            if wheel.name.startswith("nvidia-") or wheel.name == "tensorflow":
                cached(wheel).unlink(missing_ok=True)


@pytest.fixture
def gpu_release(tag: str, request: pytest.FixtureRequest) -> Release:
    """The image that is tried, if it is for GPUs: no other is built to be skipped."""
    if KNOWN.named(tag).image.device != "gpu":
        pytest.skip(f"{tag} is a CPU image")
    found: Release = request.getfixturevalue("release")
    return found


def test_its_structure(release: Release, host: Engine) -> None:
    """What all images have in common, as a program sees it that knows nothing of the kit."""
    program = Path(sys.executable).with_name("container-structure-test")
    argv: list[str | Path] = [program, "test", "--image", release.run.image, "--config", STRUCTURE]
    done = subprocess.run(
        argv, env={**os.environ, **host.env}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Total tests: 3" in done.stdout


def test_it_holds_exactly_what_its_lock_names(release: Release) -> None:
    done = release.run(["python", "-m", "pip", "list", "--format=json"])
    installed = {
        row["name"].lower().replace("_", "-"): row["version"] for row in json.loads(done.stdout)
    }
    locked = read_lock(IMAGES / release.tag / REQUIREMENTS_LOCK)
    # The other name of the locked TensorFlow is metadata of the kit's own.
    names = dict.fromkeys(("tensorflow", "tensorflow-cpu"), release.chosen.image.tensorflow)
    assert installed == {wheel.name: wheel.version for wheel in locked} | names
    checked = release.run(["python", "-m", "pip", "check"])
    assert checked.exit_code == 0, checked.stdout


def test_whoever_requires_tensorflow_by_either_name_finds_it(
    release: Release, tmp_path: Path
) -> None:
    """Also tensorflow-cpu in a GPU image; pip and uv put no second TensorFlow over the first."""
    version = release.chosen.image.tensorflow
    real, other = ("tensorflow-cpu", "tensorflow")
    if release.chosen.image.device == "gpu":
        real, other = other, real
    wheel = tmp_path / "companion-1.0-py3-none-any.whl"
    required = f"Requires-Dist: {real}=={version}\nRequires-Dist: {other}=={version}\n"
    files = {
        "METADATA": f"Metadata-Version: 2.1\nName: companion\nVersion: 1.0\n{required}",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"companion-1.0.dist-info/{name}", text)
    inputs = [TWO_NAMES, wheel, Path(uv.find_uv_bin())]
    done = release.run(
        ["python", TWO_NAMES.name, wheel.name, "./uv"],
        env={"TF_CPP_MIN_LOG_LEVEL": "3"},
        inputs=inputs,
    )
    assert done.exit_code == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["owners"] == [real]
    assert said["versions"] == {real: version, other: version}
    assert said["other requires"] == [f"{real} (=={version})"]
    listed = {row["name"]: row["version"] for row in said["uv pip list"]}
    assert listed.items() >= said["versions"].items()
    assert [status for status, _ in said["steps"]] == [0] * len(said["steps"]), said["steps"]
    assert said["steps"][-1][1].splitlines()[-1] == version  # 2.21 says more before


def test_it_trains_twice_the_same(release: Release) -> None:
    first, second = (release.run(["python", "-c", TRAIN]) for _ in range(2))
    assert first.exit_code == 0, first.stderr
    version, keras, _ = first.stdout.split()
    assert version == release.chosen.image.tensorflow
    locked = read_lock(IMAGES / release.tag / REQUIREMENTS_LOCK)
    assert keras in [wheel.version for wheel in locked if wheel.name == "keras"]
    assert first.stdout == second.stdout


def test_every_cuda_library_loads_in_the_version_of_the_matrix(gpu_release: Release) -> None:
    """Found by the loader's cache alone, whatever LD_LIBRARY_PATH says."""
    env = {"LD_LIBRARY_PATH": "/usr/lib/x86_64-linux-gnu:/nowhere"}
    done = gpu_release.run(["python", OPEN_ALL.name], env=env, inputs=[OPEN_ALL])
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["broken"] == {}
    assert found["outside"] == []
    locked = {w.name: w.version for w in read_lock(IMAGES / gpu_release.tag / REQUIREMENTS_LOCK)}
    loads = gpu_release.chosen.loads
    assert set(found["versions"]) == set(loads)
    for library, version in found["versions"].items():
        # CUPTI tells only its interface's version, and CUDA 11's runtime none without a driver;
        # the wheel's lock vouches for them.
        if version is not None:
            wheel = [int(part) for part in locked[loads[library]].split(".")]
            assert wheel[: len(version)] == version, library


def test_its_kernels_are_compiled_for_what_the_matrix_says(gpu_release: Release) -> None:
    done = gpu_release.run(["python", "-c", BUILD_INFO])
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout) == list(gpu_release.chosen.image.gpu_code)


def test_xla_finds_its_tools(gpu_release: Release) -> None:
    stack = gpu_release.chosen.stack
    assert stack
    script = (
        f"test -s /usr/local/cuda-{stack.cuda}/nvvm/libdevice/libdevice.10.bc"
        " && /usr/local/cuda/bin/ptxas --version"
    )
    done = gpu_release.run(["bash", "-c", script])
    assert f"release {stack.cuda}," in done.stdout, done.stderr


def test_the_container_toolkit_is_told_what_it_needs(gpu_release: Release) -> None:
    stack = gpu_release.chosen.stack
    assert stack
    done = gpu_release.run(["env"])
    assert f"NVIDIA_REQUIRE_CUDA={stack.require}" in done.stdout.splitlines()
    assert "NVIDIA_VISIBLE_DEVICES=all" in done.stdout.splitlines()
    assert "NVIDIA_DRIVER_CAPABILITIES=compute,utility" in done.stdout.splitlines()


def test_the_doctor_says_why_no_gpu_is_seen(gpu_release: Release) -> None:
    """A container that was given none, on any machine; and a library that is gone, by name."""
    break_one = (
        "rm /opt/venv/lib/python3.*/site-packages/nvidia/cufft/lib/libcufft.so.*;"
        "ldconfig; tf-repro doctor"
    )
    whole, broken = (
        gpu_release.run(["bash", "-c", script]).stdout.splitlines()
        for script in ("tf-repro doctor", break_one)
    )
    (seen,) = (line for line in whole if "a GPU is seen" in line)
    assert seen.startswith("NO ")
    assert "no device" in seen or "no toolkit" in seen
    assert any(line.startswith("yes ") and "cuDNN" in line for line in whole)
    (loads,) = (line for line in broken if line.startswith("NO ") and "cuDNN" in line)
    assert "libcufft.so" in loads
