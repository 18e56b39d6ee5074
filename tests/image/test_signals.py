"""A training ends when it is told to, and what is around it in the same container is as it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import pytest

from docker import DockerClient
from scripts.engine import containers
from tests.image.conftest import OWNER, RunInImage

if TYPE_CHECKING:
    from docker.models.containers import Container

TRAIN = """
import tensorflow as tf
model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
class Tell(tf.keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print("ready", flush=True)
model.fit(tf.ones((800, 4)), tf.ones((800, 1)), epochs=10_000, verbose=0, callbacks=[Tell()])
"""
WAIT = "import time; print('ready', flush=True); time.sleep(60)"
DRAW = "import os, random; print(random.random(), hash('x'), os.environ['TF_REPRO_SEED'])"
# What programs do with handlers; TensorBoard calls the old one, unless that is the default one.
HANDLERS = """
import multiprocessing, os, signal, subprocess, sys, time
print(os.getpid(), signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
print(signal.signal(signal.SIGTERM, lambda *_: print("handled")) is signal.SIG_DFL)
os.kill(1, signal.SIGTERM)
print(signal.signal(signal.SIGTERM, signal.SIG_IGN).__name__)
os.kill(1, signal.SIGTERM)
print(signal.signal(signal.SIGTERM, signal.SIG_DFL) is signal.SIG_IGN)
for method in "fork", "spawn", "forkserver":
    child = multiprocessing.get_context(method).Process(target=time.sleep, args=(60,))
    child.start()
    child.terminate()
    child.join()
    print(child.exitcode)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
time.sleep(0.5)
child.terminate()
print(child.wait(), flush=True)
os.kill(1, signal.SIGTERM)
time.sleep(60)
"""
# Before Docker kills, with room for a busy machine.
PATIENCE = 8
NAME = "org/tf-repro-committed:test"
Start = Callable[..., "Container"]


@pytest.fixture
def start(client: DockerClient, run_in_image: RunInImage) -> Iterator[Start]:
    """Return a function that starts a program and returns once it says that it is ready."""
    started = []

    def start(*argv: str, **settings: object) -> Container:
        labels = {containers.LABEL: OWNER}
        container = client.containers.create(
            run_in_image.image, list(argv), labels=labels, **cast("dict[str, Any]", settings)
        )
        started.append(container)
        container.start()
        for line in container.logs(stream=True):
            if line == b"ready\n":
                break
        return container

    yield start
    for container in started:
        container.remove(force=True)


def ended(container: Container, signal: str) -> tuple[int, float]:
    """Send a signal; return the exit status, and after how many seconds it came."""
    started = time.monotonic()
    container.kill(signal)
    return int(container.wait(timeout=30)["StatusCode"]), time.monotonic() - started


def test_a_training_ends_at_docker_stop(
    start: Start, client: DockerClient, run_in_image: RunInImage
) -> None:
    """Before that: programs beside it see its settings, and so does an image made of it."""
    container = start("python", "-c", TRAIN, environment={"TF_REPRO_SEED": "7"}, user="12345:0")
    told = container.exec_run(["python", "-c", DRAW], user="12345:0")
    container.commit(NAME)
    try:
        of_it = RunInImage(client, NAME)(["python", "-c", DRAW]).stdout
    finally:
        client.images.remove(NAME, force=True)
    alone = run_in_image(["python", "-c", DRAW], env={"TF_REPRO_SEED": "7"}).stdout
    assert alone.endswith(" 7\n")
    assert told.output == of_it.encode() == alone.encode()

    status, seconds = ended(container, "SIGTERM")
    assert status == 143
    assert seconds < PATIENCE


def test_a_training_ends_at_ctrl_c(start: Start) -> None:
    container = start("python", "-c", TRAIN)
    status, seconds = ended(container, "SIGINT")
    assert status == 130
    assert seconds < PATIENCE


def test_without_us_python_waits_to_be_killed(start: Start) -> None:
    container = start("python", "-S", "-c", WAIT)
    later = threading.Timer(3, container.kill)
    later.start()
    status, seconds = ended(container, "SIGTERM")
    assert status == 137
    assert seconds > 2


def test_handlers_are_those_of_the_program(run_in_image: RunInImage) -> None:
    done = run_in_image(["python", "-c", HANDLERS])
    assert done.stdout.splitlines() == [
        *("1 True", "True", "handled", "<lambda>", "True"),
        *("-15", "-15", "-15", "-15"),
    ], done.stderr
    assert done.exit_code == 143
    assert done.seconds < 30
