"""Forked children: what another thread of the parent held at the fork, nobody waits for.

Each program brings about the very moment that a stress test (tests/image/test_forks.py) waits for.
"""

import pytest

from tests.unit.runtime.conftest import Interpreter

# A child that waits for ever is ended by its alarm, and the parent says by which signal.
FORK = """
import os, random, signal, sys, threading
held = threading.Event()

def fork(draw):
    held.wait()
    pid = os.fork()
    if pid == 0:
        signal.alarm(10)
        print(draw(), flush=True)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0, "the child hung"
"""
IMPORTING = """
import importlib.machinery

class Slow:
    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name == "hashlib" else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        held.set()
        threading.Event().wait()

{before}
sys.modules.pop("hashlib", None)
sys.meta_path.insert(0, Slow())
threading.Thread(target=lambda: __import__("hashlib"), daemon=True).start()
fork(lambda: (random.random(), random.Random().random()))
"""
DRAWING = """
import numpy as np

def draw():
    with np.random.get_bit_generator().lock:
        held.set()
        threading.Event().wait()

{before}
threading.Thread(target=draw, daemon=True).start()
fork(lambda: (np.random.random(), np.random.default_rng().random()))
"""
OWN_BIT_GENERATOR = "np.random.set_bit_generator(np.random.PCG64(1))"
AFTER_A_DRAW = "random.Random().random()"


@pytest.mark.parametrize(
    "program",
    [
        IMPORTING.format(before=""),
        IMPORTING.format(before=AFTER_A_DRAW),
        DRAWING.format(before=""),
        DRAWING.format(before=OWN_BIT_GENERATOR),
    ],
    ids=["importing hashlib", "importing hashlib again", "drawing from NumPy", "another generator"],
)
def test_waits_for_nothing_that_a_thread_of_the_parent_held(
    python: Interpreter, program: str
) -> None:
    first, second = (python("-c", FORK + program) for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout != ""
    assert first.stderr == ""


def test_numpy_draws_on_as_its_seed_says(python: Interpreter) -> None:
    """What replaces the lock in a child gives the numbers that np.random.seed gives."""
    ended = python(
        "-c",
        "import os, numpy as np\n"
        "from tf_repro import streams\n"
        "if os.fork() == 0:\n"
        "    ours = np.random.normal(size=3).tolist()\n"
        "    np.random.RandomState(streams.global_seed('numpy')).normal(size=3).tolist() == ours"
        " or os._exit(1)\n"
        "    os._exit(0)\n"
        "print(os.wait()[1])",
    )
    assert ended.stdout == "0\n", ended.stderr
