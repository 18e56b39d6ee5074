"""Every command of the README runs, in the order in which a reader types them."""

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

# A reader's folder, and one image `mine`.
pytestmark = pytest.mark.xdist_group("readme")

README = (REPO / "README.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
DOCKERFILES = re.findall(r"```dockerfile\n(.*?)```", README, re.DOTALL)
# These would end what the other tests run on, run them again, or change the tree: make is asked
# whether it knows them. test_prove, test_broken, test_rebuild, test_vouch, test_publish,
# test_builder and the end of CI are their tests; the bench of ResNet-50 takes its time. A key is
# nothing to leave in somebody's home, and what is known of vulnerabilities today is no property of
# the tree: test_audit_cve makes its own up.
ONLY_ASKED = (
    *("make prove", "make test", "make lock", "make engine-stop", "make images"),
    *("make bench-verify", "make sign", "make verify-signature", "make audit-cve"),
    *("make publish", "make changelog", "make rebuild-check"),
)
TAKES_TIMES = "make bench-startup"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data scientist's folder: a script, its data, and the README's last Dockerfile."""
    folder = tmp_path_factory.mktemp("reader")
    for path in INPUTS:
        shutil.copy(path, folder)
    (folder / "Dockerfile").write_text(DOCKERFILES[-1])
    return folder


def test_there_is_something_to_run() -> None:
    assert COMMANDS[:2] == ["make prove", "make test"]
    assert len(DOCKERFILES) == 2


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(command, marks=pytest.mark.alone if command == TAKES_TIMES else ())
        for command in COMMANDS
    ],
)
def test_command(command: str, folder: Path, built: Built, host: Engine) -> None:
    env = {**os.environ, **host.env}
    cwd = folder
    if command.startswith("make "):
        cwd = REPO
        command += " --dry-run" if command.startswith(ONLY_ASKED) else ""
    else:
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
        assert done.returncode == 0, done.stdout + done.stderr


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
