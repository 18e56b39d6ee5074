"""Which task of a cluster a process is, and that each task draws for itself."""

import json
from typing import Any

import pytest

from tests.unit.runtime.conftest import Interpreter
from tf_repro import cluster

DRAW = "import random; print(random.random(), random.Random().random())"


def config(kind: str, index: object, **hosts: list[str]) -> str:
    task = {"type": kind, "index": index}
    return json.dumps({"cluster": hosts or {"worker": ["a:1", "b:1"]}, "task": task})


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("{}", None),
        ('{"cluster": {}, "environment": "cloud"}', None),
        (config("worker", 0), ""),
        (config("worker", 1), "/worker1"),
        (config("worker", "1"), "/worker1"),
        (config("chief", 0, chief=["a:1"], worker=["b:1"]), ""),
        (config("worker", 0, chief=["a:1"], worker=["b:1"]), "/worker0"),
        (config("ps", 0, chief=["a:1"], worker=["b:1"], ps=["c:1"]), "/ps0"),
        (config("evaluator", 0), "/evaluator0"),
    ],
)
def test_the_chief_begins_at_the_seed_and_each_other_has_a_path(
    text: str, path: str | None
) -> None:
    assert cluster.path(text) == path


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        (config("worker", 1), {"worker": 2}),
        (config("ps", 0, worker=["b:1"], ps=["c:1", "d:1"]), {"ps": 2, "worker": 1}),
        ("{}", {}),
        ('{"cluster": [1]}', {}),
        ('{"cluster": {"worker": 3}}', {}),
        ("[]", {}),
        ("", {}),
    ],
)
def test_a_record_tells_how_large_a_cluster_is(text: str, sizes: dict[str, int]) -> None:
    assert cluster.sizes(text) == sizes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no JSON"),
        ('{"cluster": ', "no JSON"),
        ("[]", "it is no object"),
        ('{"cluster": [1], "task": {"type": "worker", "index": 0}}', "cluster is no object"),
        ('{"cluster": {"worker": ["a:1"]}, "task": 3}', "task is no object"),
        (config("ps", 0), "task.type is 'ps', and the cluster has worker"),
        (config("worker", 2), "task.index is 2, and the cluster has 2 of worker"),
        (config("worker", -1), "task.index is -1"),
        (config("worker", None), "task.index is None"),
        (config("worker", True), "task.index is True"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"index": 0}}', "task.type is None"),
    ],
)
def test_what_names_no_task_is_said_in_one_line(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^TF_CONFIG names no task of a cluster: ") as raised:
        cluster.path(text)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def drawn(python: Interpreter, **env: str) -> str:
    done = python("-c", DRAW, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    return str(done.stdout)


def test_workers_draw_for_themselves_and_the_same_in_every_run(python: Interpreter) -> None:
    workers = [drawn(python, TF_CONFIG=config("worker", index)) for index in range(2)]
    assert workers == [drawn(python, TF_CONFIG=config("worker", index)) for index in range(2)]
    assert workers[0] == drawn(python)
    for one, other in zip(*(text.split() for text in workers), strict=True):
        assert one != other


def test_a_wrong_config_ends_the_start_and_mode_off_leaves_it_alone(python: Interpreter) -> None:
    wrong: dict[str, Any] = {"TF_CONFIG": "{"}
    done = python("-c", DRAW, env=wrong)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (78, "", 1)
    assert python("-c", DRAW, env={**wrong, "TF_REPRO": "off"}).returncode == 0
