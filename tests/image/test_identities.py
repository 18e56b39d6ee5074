"""What libraries name things is unique in every run, and moves nothing that the script draws."""

import ast
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from docker import DockerClient
from tests.image.conftest import Install, RunInImage, derived
from tf_repro import sources
from tf_repro.sources.random import LEFT_RANDOM

PROGRAM = Path(__file__).parent / "identities/names.py"
# random.seed(42); random.random()
SEEDED = 0.6394267984578837
# In the image as it is; in the derived image that the tests share; the others in one of their own,
# by `make test-all`.
IN_THE_IMAGE = (
    *("email.generator", "email.utils", "imaplib", "uuid"),
    *("google.auth._exponential_backoff", "tensorboard.notebook", "tensorboard.util.grpc_util"),
    "urllib3.util.retry",
)
WITH_LIBRARIES = ("haikunator.haikunator", "opentelemetry.sdk.trace.id_generator")
# Tested with the other things that are never seeded, in test_sources.
ELSEWHERE = {"tempfile"}
OTHERS = sorted({*sources.IDENTITIES, *LEFT_RANDOM} - {*IN_THE_IMAGE, *WITH_LIBRARIES} - ELSEWHERE)
OTHERS_INSTALL = (
    "backoff boto3 comet_ml coolname distributed dvc gcsfs google-api-core gunicorn"
    " jupyter_server keras-tuner mlflow names_generator neptune optuna pytest-randomly randomname"
    " ray[serve] redis rich tenacity unique-names-generator wandb"
)
OTHERS_NAME = "org/tf-repro-identities:test"
# These make a Random() of their own and draw nothing from the script's.
OFF_THE_STREAM = {
    *("dvc.repo.experiments.utils", "haikunator.haikunator", "mlflow.tracing.provider"),
    *("pytest_randomly", "randomname.util", "wandb.sdk.lib.runid"),
}


def test_every_row_has_its_name_drawn() -> None:
    tree = ast.parse(PROGRAM.read_text())
    named = {
        str(ast.literal_eval(node.slice if isinstance(node, ast.Subscript) else node.args[0]))
        for node in ast.walk(tree)
        if (isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant))
        or (isinstance(node, ast.Call) and ast.unparse(node.func) == "names")
        if not isinstance(node, ast.Subscript) or ast.unparse(node.value) == "NAMES"
    }
    assert named == {*sources.IDENTITIES, *LEFT_RANDOM} - ELSEWHERE


def drawn(image: RunInImage, how: str, modules: Sequence[str]) -> tuple[dict[str, str], float]:
    env = {"TF_CPP_MIN_LOG_LEVEL": "3", "HOME": "/tmp"}
    ended = image(["python3", PROGRAM.name, how, *modules], env=env, inputs=[PROGRAM])
    assert ended.exit_code == 0, ended.stderr
    said: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return said["drawn"], said["script"]


def unique_and_apart(image: RunInImage, modules: Sequence[str]) -> None:
    (one, script), (two, again) = (drawn(image, "with", modules) for _ in range(2))
    assert [name for name in modules if one[name] == two[name]] == []
    assert script == again == SEEDED
    # Without the rows, every name would be the same, and drawn from the script's stream.
    (one, script), (two, again) = (drawn(image, "without", modules) for _ in range(2))
    assert one == two
    assert script == again
    assert (script == SEEDED) == (set(modules) <= OFF_THE_STREAM)


def test_in_the_image(run_in_image: RunInImage) -> None:
    unique_and_apart(run_in_image, IN_THE_IMAGE)


@pytest.mark.parametrize("module", WITH_LIBRARIES)
def test_of_libraries(with_libraries: RunInImage, module: str) -> None:
    unique_and_apart(with_libraries, [module])


@pytest.fixture(scope="module")
def with_others(install: Install, client: DockerClient) -> Iterator[RunInImage]:
    if os.environ.get("TEST_LIBRARIES") != "all":
        pytest.skip("`make test-all` sets TEST_LIBRARIES=all: they take a gigabyte and minutes")
    command = f"pip install --no-cache-dir {OTHERS_INSTALL}"
    yield from derived(install, client, command, OTHERS_NAME)


@pytest.mark.parametrize("module", OTHERS)
def test_of_other_libraries(with_others: RunInImage, module: str) -> None:
    unique_and_apart(with_others, [module])
