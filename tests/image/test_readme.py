"""Every command of the pages runs, each once, in the order in which a reader types them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.build.build import Built
from scripts.engine.engine import Engine
from scripts.places import REPO
from scripts.proof.prove import INPUTS
from tests.pages import commands, dockerfiles

# A reader's folder, and one image `mine`.
pytestmark = pytest.mark.xdist_group("readme")

COMMANDS = commands()
DOCKERFILES = dockerfiles()
OWN_TESTS = "it would run these tests again, and others test it"
# Of these, make is only asked whether it knows them.
ONLY_ASKED = {
    "make prove": "test_prove runs it",
    "make prove-cluster": "test_cluster runs it",
    "make verify SCRIPT=examples/digits/train_on_workers.py WORKERS=2": "so does it of `verify`",
    "make test": OWN_TESTS,
    "make test-unit": OWN_TESTS,
    "make lint": "`make test` begins with it",
    "make lock IMAGE=2.15-cpu": "it changes the tree",
    "make readme": "it changes the tree; test_family compares what it writes",
    "make lock-image IMAGE=2.15-cpu": "it changes the tree; test_rebuild compares what it writes",
    "TEST_COMPANIONS=record make test-companions IMAGE=2.15-cpu": "as above; test_companions",
    "make sizes IMAGE=2.15-cpu": "it changes the tree, and installs TensorFlow a second time",
    "make engine-stop": "it would end what the other tests run on; the end of CI is its test",
    "make images": "twenty images take hours; test_family builds them one by one",
    "make images BUILDER=workers": "as above; test_builder builds one image that way",
    "make bisect SCRIPT=examples/digits/train.py GOOD=2.15-cpu BAD=2.16-cpu": (
        "images and their trainings take their time; by hand, and test_bisect without"
    ),
    "make bench-verify": "the bench of ResNet-50 takes its time",
    "make bench-pipelines": "so does the bench of pipelines",
    "make bench-resume": "and that of resuming",
    "make bench-reach": "and that of the reaches",
    'make sign-key KEY="$HOME/tf-repro.pem"': "a key is nothing to leave in a home; test_vouch",
    'make sign IMAGE=2.15-cpu KEY="$HOME/tf-repro.pem"': "it needs that key; test_vouch",
    'make verify-signature IMAGE=2.15-cpu KEY="$HOME/tf-repro.pem.pub"': "as above; test_vouch",
    'make verify-signature IMAGE=2.15-cpu REGISTRY=registry.example KEY="$HOME/tf-repro.pem.pub"': (
        "there is no such registry; test_publish"
    ),
    "make publish IMAGE=2.15-cpu REGISTRY=registry.example": "as above; test_publish",
    "make changelog REGISTRY=registry.example FROM=2.15.1-cpu TO=2.16.2-cpu": "as above",
    "make audit-cve IMAGE=2.15-cpu": (
        "what is known of vulnerabilities today is no property of the tree; test_audit_cve"
    ),
    "make rebuild-check IMAGE=2.15-cpu": "test_rebuild runs it",
}
# These are not run at all.
NOT_RUN = {
    "pre-commit install": "it changes the checkout; a unit test holds its hooks against make lint",
    ".venv/bin/python -m pytest tests/image/test_sources.py -k random_module": OWN_TESTS,
    'docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" -p 8888:8888 mine': (
        "it serves until it is ended; test_jupyter starts that image"
    ),
    'docker run --rm -v "$PWD:/work" -w /work mine tf-repro verify -- analysis.ipynb': (
        "an image of one's own with kernels; test_notebooks runs one"
    ),
    (
        'docker run --rm -v "$PWD:/work" -w /work mine '
        "tf-repro verify --interrupt 3 -- python fit.py"
    ): ("a program of one's own that resumes; test_resume interrupts one"),
    'docker run --rm -v "$PWD:/work" -w /work mine pytest': (
        "an image of one's own with pytest; test_pytest_plugin runs one"
    ),
    "IMAGE=registry.example/team/training:1.0 docker stack deploy --compose-file stack.yml train": (
        "it makes the engine a swarm; test_swarm deploys it"
    ),
    "docker service logs train_worker-0": "as above",
    "kubectl apply --filename job.yaml": "no server can be had; test_kubernetes checks it",
    "sbatch --ntasks=2 train.sbatch train_on_workers.py": "test_slurm submits it",
    "sbatch --parsable --array=1-2 verify.sbatch train.py": "as above",
    'sbatch --dependency=afterany:"$ID" verify.sbatch --judge "$ID"': "as above",
    "GPU_IMAGE=2.15-gpu .venv/bin/python -m pytest tests/gpu": "`make test-gpu` runs it",
}
TAKES_TIMES = "make bench-startup"
# What begins with one of these is typed in the checkout, all else in a folder of the reader's.
OF_TWO_IMAGES = 'docker run --rm -v "$PWD/images:/images" '
# What says by its exit status that something differs.
STATUS = {
    f"{OF_TWO_IMAGES}org/tf-repro:2.15-cpu tf-repro compare /images/2.15-cpu /images/2.16-cpu": 1
}
IN_THE_CHECKOUT = ("make ", ".venv/", "TEST_COMPANIONS=", OF_TWO_IMAGES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data scientist's folder: a script, its data, and the Dockerfile that needs an option."""
    folder = tmp_path_factory.mktemp("reader")
    for path in INPUTS:
        shutil.copy(path, folder)
    (dockerfile,) = (one for one in DOCKERFILES if "--mount" in one)
    (folder / "Dockerfile").write_text(dockerfile)
    return folder


def test_there_is_something_to_run() -> None:
    typed = [command for _, command in COMMANDS]
    assert typed[:2] == ["make prove", "make test"]
    assert len(DOCKERFILES) == 4
    assert set(typed) >= ONLY_ASKED.keys() | NOT_RUN.keys() | STATUS.keys()


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(
            command,
            id=f"{page}: {command}",
            marks=pytest.mark.alone if command == TAKES_TIMES else (),
        )
        for page, command in COMMANDS
        if command not in NOT_RUN
    ],
)
def test_command(command: str, folder: Path, built: Built, host: Engine) -> None:
    env = {**os.environ, **host.env}
    cwd, typed = folder, command
    if command.startswith(IN_THE_CHECKOUT):
        cwd = REPO
        command += " --dry-run" if command in ONLY_ASKED else ""
    if command.startswith("docker "):
        command = command.replace("org/tf-repro:2.15-cpu", built.name)
        command = command.replace("docker buildx", " ".join(host.buildx))
        command = re.sub(r"^docker\b", str(host.docker), command)
    done = subprocess.run(
        ["bash", "-euc", command], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    if command == TAKES_TIMES:
        # It fails where a figure is over its limit, as one may be on a machine that is busy.
        assert done.stdout.count(", limit ") == 3, done.stdout + done.stderr
    else:
        assert done.returncode == STATUS.get(typed, 0), done.stdout + done.stderr


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_dockerfile(dockerfile: str, folder: Path, built: Built, host: Engine) -> None:
    """It builds as it stands; the certificate is there for machines behind a proxy."""
    dockerfile = dockerfile.replace("org/tf-repro:2.15-cpu", built.name)
    if "--mount" not in dockerfile:
        mount = "RUN --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt "
        dockerfile = dockerfile.replace("RUN ", mount)
    done = subprocess.run(
        [
            *host.buildx,
            "build",
            "--secret=id=ca,src=/etc/ssl/certs/ca-certificates.crt",
            "-f-",
            ".",
        ],
        cwd=folder,
        env={**os.environ, **host.env},
        input=dockerfile,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
