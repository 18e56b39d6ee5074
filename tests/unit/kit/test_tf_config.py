"""The program that tells a scheduler's tasks which worker they are."""

import json
import subprocess
import sys

import pytest

from scripts.places import REPO
from tf_repro import cluster

PROGRAM = REPO / "examples/clusters/tf_config.py"
SHOW = ("--", sys.executable, "-c", "import os; print(os.environ['TF_CONFIG'])")


def run(*argv: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, PROGRAM, *argv], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("program", [(), SHOW])
def test_every_worker_is_told_of_all(program: tuple[str, ...]) -> None:
    pattern = ("--workers=2", "--host=train-{index}.train:2222")
    status, out, err = run("--index=1", *pattern, *program)
    assert (status, err) == (0, "")
    assert json.loads(out) == {
        "cluster": {"worker": ["train-0.train:2222", "train-1.train:2222"]},
        "task": {"type": "worker", "index": 1},
    }
    assert cluster.path(out) == "/worker1"
    assert run("--index=1", "--hosts=train-0.train:2222,train-1.train:2222")[1] == out


def test_the_program_ends_as_it_does() -> None:
    program = ("--", sys.executable, "-c", "import sys; sys.exit(7)")
    assert run("--index=0", "--hosts=a:1", *program)[0] == 7


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--index=", "--hosts=a:1"), "--index='': the scheduler has not set it"),
        (("--index=-1", "--hosts=a:1"), "--index='-1': the scheduler has not set it"),
        (("--index=2", "--hosts=a:1,b:1"), "--index=2: there are 2 workers, counted from 0"),
        (("--index=0", "--hosts=a:1,a:1"), "a:1 is given to two workers; each needs a port"),
        (("--index=0", "--hosts=a"), "'a' is no host:port"),
        (("--index=0", "--hosts=a:1,"), "'' is no host:port"),
        (("--index=0", "--hosts=a:70000"), "'a:70000' is no host:port"),
        (("--index=0", "--host=a-{index}:1"), "--workers='': give a whole number from 1 up"),
        (("--index=0", "--host=a-{index}:1", "--workers=0"), "--workers='0': give a whole number"),
        (("--index=0", "--host=a:1", "--workers=2"), "it has no {index}, so all are the same"),
        (("--index=0", "--hosts=a:1", "--", "no-such-program"), "no-such-program: No such file"),
    ],
)
def test_what_names_no_worker_is_one_line(argv: tuple[str, ...], said: str) -> None:
    status, out, err = run(*argv)
    assert (status, out) == (2, "")
    assert err.startswith("tf_config: ")
    assert said in err
    assert err.count("\n") == 1
