"""Fork some hundred children while threads draw, hash, import, log and talk TLS; count who hangs.

Usage: forks.py SECONDS. Prints a line for each kind of child: how many, how many hung, and how
many of those that drew repeated another's numbers.
"""

import contextlib
import hashlib
import importlib
import itertools
import logging
import multiprocessing
import os
import pty
import random
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

# Seconds after which a child hangs: all that it does takes milliseconds.
PATIENCE = float(os.environ.get("STRESS_PATIENCE", "20"))
# What a thread may be importing for the first time when a process forks.
MODULES = ("hashlib", "random", "secrets", "uuid", "tempfile", "numpy.random.mtrand", "csv")

stop = threading.Event()
log = logging.getLogger("stress")
log.addHandler(logging.StreamHandler(open(os.devnull, "w")))  # noqa: PTH123, SIM115


def import_again() -> None:
    """Import something, as if for the first time; modules of libraries only as a lookup."""
    for name in ("csv", "colorsys", "sndhdr", "this_is_not_there", *MODULES):
        if name in ("csv", "colorsys", "sndhdr"):
            sys.modules.pop(name, None)
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def talk_tls() -> None:
    """Make a context and a handshake's first message."""
    context = ssl.create_default_context()
    ends = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(*ends, server_hostname="example.org").do_handshake()


own = np.random.default_rng()
WORK: tuple[Callable[[], object], ...] = (
    random.random,
    lambda: np.random.normal(size=100_000),
    lambda: own.normal(size=100_000),
    lambda: np.random.default_rng().random(),
    lambda: random.Random().random(),
    lambda: hashlib.sha256(bytes(1_000_000)).digest(),
    talk_tls,
    lambda: log.warning("x"),
    import_again,
)


def tensorflow_work() -> Callable[[], object]:
    """Return a draw of TensorFlow's."""
    import tensorflow as tf  # noqa: PLC0415  # after the threads of the others have begun

    return lambda: tf.random.normal([1000])


def keep_at(work: Callable[[], object]) -> None:
    """Do something over and over."""
    while not stop.is_set():
        work()


def draw() -> str:
    """Return what only this child should draw."""
    return f"{random.random()} {random.Random().random()} {np.random.default_rng().random()}"


def draw_global() -> str:
    """Return the same with a draw from NumPy's global generator, which hangs in ordinary Python."""
    return f"{draw()} {np.random.random()}"


def wait(pid: int) -> bool:
    """Wait for a child; end it, and return False, where it hangs."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return True
        time.sleep(0.001)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return False


def forked(drawing: Callable[[], str]) -> tuple[bool, str]:
    """Fork a child that draws."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(theirs, drawing().encode())
        os._exit(0)
    os.close(theirs)
    ended = wait(pid)
    text = os.read(ours, 1000).decode()
    os.close(ours)
    return ended, text


def by_multiprocessing() -> tuple[bool, str]:
    """Have multiprocessing fork a child."""
    ours, theirs = os.pipe()
    process = multiprocessing.get_context("fork").Process(
        target=lambda: os.write(theirs, draw().encode())
    )
    process.start()
    os.close(theirs)
    process.join(PATIENCE)
    if process.exitcode is None:
        process.kill()
        process.join()
        os.close(ours)
        return False, ""
    text = os.read(ours, 1000).decode()
    os.close(ours)
    return True, text


def by_subprocess() -> tuple[bool, str]:
    """Have subprocess fork a child that runs a function before it executes a program.

    Popen waits for the child to execute, so that a watchdog has to end one that hangs.
    """
    hung: list[bool] = []
    ours, theirs = os.pipe()
    forking = f"/proc/self/task/{threading.get_native_id()}/children"

    def before() -> None:
        os.write(theirs, draw().encode())

    def end() -> None:
        hung.append(True)
        for pid in Path(forking).read_text().split():
            os.kill(int(pid), signal.SIGKILL)

    watchdog = threading.Timer(PATIENCE, end)
    watchdog.start()
    with contextlib.suppress(subprocess.SubprocessError):
        subprocess.run(["/bin/true"], preexec_fn=before, check=False, pass_fds=[theirs])
    watchdog.cancel()
    os.close(theirs)
    text = "" if hung else os.read(ours, 1000).decode()
    os.close(ours)
    return not hung, text


def by_pty() -> tuple[bool, str]:
    """Fork a child with a terminal of its own."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.write(1, draw().encode())
        os._exit(0)
    text = ""
    ended = wait(pid)
    if ended:
        text = os.read(terminal, 1000).decode()
    os.close(terminal)
    return ended, text


KINDS: dict[str, Callable[[], tuple[bool, str]]] = {
    "os.fork": lambda: forked(draw),
    "multiprocessing": by_multiprocessing,
    "preexec_fn": by_subprocess,
    "pty.fork": by_pty,
}
if os.environ.get("TF_REPRO") != "off":
    KINDS["numpy's global"] = lambda: forked(draw_global)


def children(seconds: float) -> Iterator[tuple[str, bool, str]]:
    """Fork children of each kind in turn, for so long."""
    until = time.monotonic() + seconds
    for name in itertools.cycle(KINDS):
        if time.monotonic() > until:
            return
        yield name, *KINDS[name]()


def keep_busy() -> None:
    """Start the threads, each at something else."""
    work = [*WORK, tensorflow_work()]
    # A thread that waits for the GIL gets it after this long: shorter, more places to be forked at.
    sys.setswitchinterval(0.0005)
    threads = [threading.Thread(target=keep_at, args=(each,), daemon=True) for each in work]
    for thread in threads:
        thread.start()


def lines(seconds: float) -> Iterator[str]:
    """Fork children for so long; yield how many of each kind hung."""
    keep_busy()
    counts = {name: [0, 0, 0] for name in KINDS}
    seen: set[str] = set()
    for name, ended, text in children(seconds):
        counts[name][0] += 1
        counts[name][1] += not ended
        counts[name][2] += ended and text in seen
        seen.add(text)
    for name, (number, hung, repeated) in counts.items():
        yield f"{name}: {number} children, {hung} hung, {repeated} repeated"
    stop.set()


def main() -> None:
    """Print them, and leave no thread the time to say something."""
    for line in lines(float(sys.argv[1])):
        print(line, flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
