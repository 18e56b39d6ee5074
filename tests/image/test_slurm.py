"""Slurm's jobs start the workers: one result in every run, and an array of jobs is judged."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.build.build import Built
from scripts.engine.engine import Engine
from scripts.places import REPO
from tests.image.ports import free_port
from tests.image.test_cluster import WHOLE

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
LACKING = [name for name in PROGRAMS if not shutil.which(name)]
pytestmark = [
    pytest.mark.alone,  # it trains on all CPUs
    pytest.mark.skipif(not WHOLE, reason="minutes: TEST_CLUSTER=all runs it"),
    pytest.mark.skipif(
        bool(LACKING), reason=f"no {LACKING}: apt-get install slurm-wlm munge brings them"
    ),
    pytest.mark.skipif(os.geteuid() != 0, reason="slurmd needs root"),
]
EXAMPLES = REPO / "examples"
FILES = ("slurm/train.sbatch", "slurm/verify.sbatch", "clusters/tf_config.py")
DIGITS = ("train.py", "train_on_workers.py", "digits.csv.gz")
START_SECONDS = 30
# One node with two CPUs, whatever the machine has; nothing of it lies outside of the folder.
CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort={control}
SlurmdPort={node}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES State=UP OverSubscribe=FORCE:4
"""


@dataclass(frozen=True)
class Slurm:
    """A cluster of one node, and the folder that jobs are submitted in."""

    folder: Path
    env: dict[str, str]

    def submit(self, *argv: str, **env: str) -> tuple[int, str, str]:
        """Wait for a job; return its exit status, its number and what it printed."""
        done = subprocess.run(
            ["sbatch", "--wait", "--parsable", *argv],
            cwd=self.folder,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        number = done.stdout.strip()
        said = [path.read_text() for path in self.folder.glob(f"slurm-{number}*.out")]
        return done.returncode, number, "".join(said) + done.stderr


@pytest.fixture(scope="module")
def slurm(host: Engine, built: Built) -> Iterator[Slurm]:
    # munge's socket has a path of 108 characters at most.
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
    for name in ("state", "spool", "jobs"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o600)
    name = socket.gethostname().partition(".")[0]
    ports = {"control": free_port(), "node": free_port()}
    (folder / "slurm.conf").write_text(CONF.format(host=name, folder=folder, **ports))
    # Slurm 22.05 has no CgroupPlugin=disabled; v1's does nothing unless a plugin asks for it.
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
    paths = (*FILES, *(f"digits/{one}" for one in DIGITS))
    for path in paths:
        shutil.copy(EXAMPLES / path, folder / "jobs")
    env = {**os.environ, **host.env, "SLURM_CONF": f"{folder}/slurm.conf", "IMAGE": built.name}
    munge = [f"--{key}={folder}/munge.{key.partition('-')[0]}" for key in ("socket", "key-file")]
    munge += [f"--{key}={folder}/munge.{key}" for key in ("pid-file", "log-file", "seed-file")]
    daemons = (
        ["munged", "--force", "--foreground", *munge],
        ["slurmctld", "-D", "-i"],
        ["slurmd", "-D", "-N", name],
    )
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        for argv in daemons:
            log = stack.enter_context((folder / f"{argv[0]}.out").open("wb"))
            daemon = subprocess.Popen(
                argv, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
            stack.callback(daemon.wait, timeout=START_SECONDS)
            stack.callback(daemon.send_signal, signal.SIGTERM)
            time.sleep(1)
        deadline = time.monotonic() + START_SECONDS
        while "idle" not in (said := sinfo(env)):
            logs = "".join(path.read_text() for path in folder.glob("*.log"))
            assert time.monotonic() < deadline, said + logs
            time.sleep(0.5)
        yield Slurm(folder / "jobs", env)


def sinfo(env: dict[str, str]) -> str:
    """Return the state of the node."""
    argv = ["sinfo", "--noheader", "--format=%T"]
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=False).stdout


def weights(slurm: Slurm, **env: str) -> list[str]:
    """Train on two workers; return the digest of each one's weights."""
    status, number, said = slurm.submit("train.sbatch", "train_on_workers.py", **env)
    assert status == 0, said
    files = [slurm.folder / f"job-{number}/worker-{one}/final.weights.h5" for one in (0, 1)]
    return [hashlib.sha256(one.read_bytes()).hexdigest() for one in files]


def test_workers_of_a_job_end_with_the_same_bits_in_every_run(slurm: Slurm) -> None:
    one, other = weights(slurm), weights(slurm)
    assert one == other
    assert len(set(one)) == 1
    assert weights(slurm, TF_REPRO="off")[0] != one[0]


def test_a_task_that_fails_ends_the_job(slurm: Slurm) -> None:
    """The other one would wait for it much longer."""
    (slurm.folder / "fails.py").write_text(
        "import json, os, sys, time\n"
        "if json.loads(os.environ['TF_CONFIG'])['task']['index']:\n"
        "    sys.exit('worker: no data for me')\n"
        "time.sleep(250)\n"
    )
    started = time.monotonic()
    status, _, said = slurm.submit("train.sbatch", "fails.py")
    assert status != 0
    assert "worker: no data for me" in said
    assert time.monotonic() - started < 120


def test_an_array_of_jobs_is_judged(slurm: Slurm) -> None:
    status, number, said = slurm.submit("--array=1-2", "verify.sbatch", "train.py")
    assert status == 0, said
    status, _, said = slurm.submit("verify.sbatch", "--judge", number)
    assert status == 0, said
    assert "2 of 2 runs identical" in said


def test_bad_input_is_one_line(slurm: Slurm) -> None:
    status, _, said = slurm.submit("train.sbatch", "train.py", ENGINE="lxc")
    assert status == 2
    assert said.splitlines()[0] == "train: ENGINE=lxc: give docker or podman"
