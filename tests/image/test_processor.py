"""TensorFlow computes as on one processor: what it computes is right, and only where it is due."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.image.conftest import RunInImage

PROGRAM = Path(__file__).parent / "reach" / "right.py"
# Of the largest value: some units in the last place of each type, and of sums of 4096.
WRONG = {"float64": 1e-13, "float32": 1e-4, "float16": 1e-2, "bfloat16": 2e-2}
TABLES = "/opt/tf-repro/share/processor.json"


def computed(run_in_image: RunInImage, env: Mapping[str, str]) -> dict[str, Any]:
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", **env}
    ended = run_in_image(["python3", PROGRAM.name], env=quiet, inputs=[PROGRAM])
    assert ended.exit_code == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_what_is_computed_is_right_and_nothing_is_estimated(run_in_image: RunInImage) -> None:
    """An answer of CPUID's that oneDNN cannot use has it return without having computed."""
    found = computed(run_in_image, {})
    for kind, error in found.pop("products").items():
        assert error < WRONG[kind], kind
    assert found.pop("reciprocals that are exact") == 1
    assert found.pop("a layer of bfloat16") < WRONG["bfloat16"]
    assert found.pop("solve") < 1e-10
    assert max(found.values()) < 5e-7, found


@pytest.mark.parametrize("env", [{"TF_REPRO": "off"}, {"TF_REPRO_REACH": "machine"}])
def test_elsewhere_the_processor_estimates_as_ever(
    run_in_image: RunInImage, env: dict[str, str]
) -> None:
    """The control, too: TensorFlow's own reciprocals are a unit off in many places."""
    found = computed(run_in_image, env)
    assert found["reciprocals that are exact"] < 0.9


THREADS = """
import json
import os
from pathlib import Path
import tensorflow as tf

x = tf.random.uniform((1000, 1000))
for _ in range(20):
    x = tf.tanh(x @ x / 500)
tasks = list(Path("/proc/self/task").iterdir())
# https://docs.kernel.org/filesystems/proc.html: 34 is pause(2); user and system ticks.
waiting = [task for task in tasks if (task / "syscall").read_text().startswith("34 ")]
ticks = [sum(map(int, (task / "stat").read_text().split()[13:15])) for task in waiting]
print(json.dumps([len(os.sched_getaffinity(0)), len(waiting), sum(ticks)]))
"""


SIXTEEN = {"TF_NUM_INTRAOP_THREADS": "16"}


@pytest.mark.parametrize(
    ("env", "cpus", "size"),
    [
        ({}, "0", 8),
        ({}, "0-1", 8),
        (SIXTEEN, "0-1", 16),
        # The controls: threads of which all may work.
        ({"TF_NUM_INTRAOP_THREADS": "2"}, "0", 2),
        ({**SIXTEEN, "TF_REPRO": "off"}, "0-1", 0),
        ({**SIXTEEN, "TF_REPRO_REACH": "machine"}, "0-1", 0),
    ],
)
def test_threads_beyond_the_cpus_never_work(
    run_in_image: RunInImage, env: dict[str, str], cpus: str, size: int
) -> None:
    """Two are left on one CPU, as one may wait for the other."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", **env}
    settings = {"cpuset_cpus": cpus}
    ended = run_in_image(["python3", "-c", THREADS], env=quiet, settings=settings)
    visible, waiting, ticks = json.loads(ended.stdout)
    assert waiting == max(0, size - max(visible, 2)), ended.stderr
    assert ticks <= waiting


def test_a_library_that_is_not_the_image_s_stays_as_it_is_and_it_is_said(
    run_in_image: RunInImage,
) -> None:
    """As where a derived image has put another release in, whose own code nobody has looked at."""
    program = f"""
import json
from tf_repro.machine import processor
tables = json.load(open({TABLES!r}))
tables["libraries"]["libtensorflow_framework.so.2"]["jumps"][7]["over"] = "0f" * 5
json.dump(tables, open("/tmp/tables.json", "w"))
processor.TABLES = "/tmp/tables.json"
import numpy
import tensorflow as tf
x = numpy.arange(1, 10000, dtype="float32") / 7
print((tf.math.reciprocal(x).numpy() == 1 / x).all())
"""
    ended = run_in_image(["python3", "-c", program], env={"TF_CPP_MIN_LOG_LEVEL": "3"})
    assert ended.stdout == "False\n", ended.stderr
    assert [line for line in ended.stderr.splitlines() if line.startswith("tf-repro:")] == [
        "tf-repro: a few ops follow the processor's own estimates and caches: "
        "libtensorflow_framework.so.2 is not the one that the image was built with"
    ]
