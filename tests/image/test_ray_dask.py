"""Tasks of Ray and Dask: each draws for itself, and the same in every run, whoever takes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from docker import DockerClient
from scripts.places import REPO
from tests.image.conftest import Install, RunInImage, derived
from tests.image.test_cluster import WHOLE

PROGRAMS = Path(__file__).parent / "cluster"
EXAMPLES = REPO / "examples"
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "HOME": "/tmp", "RAY_USAGE_STATS_ENABLED": "0"}
# random.seed(42); random.random(), and the same of NumPy: nobody but the script has drawn.
SEEDED = [0.6394267984578837, 0.3745401188473625]
RAY, RAY_NAME = "ray[train]==2.60.0", "org/tf-repro-ray:test"


# Without it, a part is run.
whole = pytest.mark.skipif(
    not WHOLE,
    reason="`make test-all` sets TEST_CLUSTER=all: they take half a gigabyte and minutes",
)


@pytest.fixture(scope="module")
def with_ray(install: Install, client: DockerClient) -> Iterator[RunInImage]:
    yield from derived(install, client, f"pip install --no-cache-dir {RAY}", RAY_NAME)


def printed(image: RunInImage, program: Path, *arguments: str, **env: str) -> list[str]:
    """Return the lines that a program prints in a fresh container."""
    argv = ["python", program.name, *arguments]
    ended = image(argv, env={**QUIET, **env}, inputs=[program])
    assert ended.exit_code == 0, ended.stderr
    return ended.stdout.splitlines()


def told(image: RunInImage, name: str, workers: int, **env: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(printed(image, PROGRAMS / name, str(workers), **env)[-1])
    return said


def each_is_another(draws: list[list[float]]) -> bool:
    numbers = [number for task in draws for number in task]
    return len(set(numbers)) == len(numbers)


def test_tasks_of_dask(with_libraries: RunInImage) -> None:
    """In whichever of two or three workers, processes or threads; the control is switched off."""
    one, more = (told(with_libraries, "dask_tasks.py", workers) for workers in (2, 3))
    assert one == more
    assert one["again"] is True
    assert one["script"] == SEEDED
    assert each_is_another(one["tasks"] + one["in_threads"])
    control = told(with_libraries, "dask_tasks.py", 2, TF_REPRO="off")
    assert control["again"] is False
    assert all(task not in one["tasks"] for task in control["tasks"])


@whole
def test_the_example_of_dask(with_libraries: RunInImage) -> None:
    program = EXAMPLES / "dask/tasks.py"
    one, two = (printed(with_libraries, program) for _ in range(2))
    assert one == two
    assert printed(with_libraries, program, TF_REPRO="off") != one


@whole
@pytest.mark.parametrize("mode", ["deterministic", "strict"])
def test_tasks_and_actors_of_ray(with_ray: RunInImage, mode: str) -> None:
    """On two and on three workers, in a task that is tried again, and in a second cluster."""
    one, more = (told(with_ray, "ray_tasks.py", workers, TF_REPRO=mode) for workers in (2, 3))
    assert one == more
    assert one["again"] is True
    assert one["seeded"] == SEEDED[0]
    assert one["script"] == SEEDED
    assert each_is_another(one["tasks"])
    control = told(with_ray, "ray_tasks.py", 2, TF_REPRO="off")
    assert control["again"] is False
    assert control["seeded"] == SEEDED[0]
    assert all(task not in one["tasks"] for task in control["tasks"])


@whole
@pytest.mark.parametrize("mode", ["deterministic", "strict"])
def test_a_training_by_ray(with_ray: RunInImage, mode: str) -> None:
    program = EXAMPLES / "ray/train.py"
    runs = [[json.loads(line) for line in printed(with_ray, program, TF_REPRO=mode)] for _ in "ab"]
    assert runs[0] == runs[1]
    chief, other = runs[0]
    assert chief["initial"] == other["initial"]
    assert chief["final"] == other["final"] != chief["initial"]
    assert chief["own"] != other["own"]
    control = json.loads(printed(with_ray, program, TF_REPRO="off")[0])
    assert control["initial"] != chief["initial"]
