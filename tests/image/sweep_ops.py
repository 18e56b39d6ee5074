"""Runs TensorFlow's op surface again and again under determinism, and says what differs.

Every op of tf.raw_ops that keeps no state is called with made-up inputs: several shapes for each
input, large ones first, until the kernel takes them. What it took is then run many times on
several intra-op threads, and the bytes that come out are compared. Run it in the image:

    python3 sweep_ops.py > 2.15.1.tsv       the table: op, outcome, detail
    python3 sweep_ops.py Bincount Cumsum    these alone

An op may end or hang its process, so that a worker process runs them, and a new one goes on after
the culprit.
"""

import os
import selectors
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

WORKER = Path(__file__).with_name("sweep_ops_worker.py")
SECONDS = 90
START_SECONDS = 120  # TensorFlow without .pyc files takes its time
THREADS = 8
# Called with made-up inputs, these end the process, wait for others, or do something to the host.
LEFT_OUT = (
    "Abort", "Assert", "Barrier", "Collective", "Delete", "Nccl", "PyFunc", "EagerPyFunc",
    "EagerPyFuncStateless", "PyFuncStateless", "Print", "PrintV2", "Recv", "Save", "Send", "Shard",
    "Stage", "TPU", "Write", "XlaHost", "_",
)  # fmt: skip
# They count their calls, or write into their input, and so never give the same twice.
COUNTING = {"Batch", "InplaceAdd", "InplaceSub", "InplaceUpdate"}


def all_names() -> list[str]:
    """Return the ops that can be called one by one."""
    code = "import tensorflow as tf; print(*[n for n in dir(tf.raw_ops)])"
    names = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    return [name for name in names if not name.startswith(LEFT_OUT) and name not in COUNTING]


def lines(worker: subprocess.Popen[bytes]) -> Iterator[str]:
    """Yield the worker's lines; end it where the next one takes too long."""
    assert worker.stdout is not None
    selector = selectors.DefaultSelector()
    selector.register(worker.stdout, selectors.EVENT_READ)
    text, seconds = b"", START_SECONDS
    while True:
        if not selector.select(seconds):
            worker.kill()
            return
        chunk = os.read(worker.stdout.fileno(), 1 << 16)
        if not chunk:
            return
        *whole, text = (text + chunk).split(b"\n")
        yield from (line.decode() for line in whole)
        seconds = SECONDS


def sweep(names: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield (op, outcome, detail) for each name, whatever becomes of the workers."""
    environ = {
        **os.environ,
        "TF_DETERMINISTIC_OPS": "1",
        "TF_NUM_INTRAOP_THREADS": str(THREADS),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    while names:
        command = [sys.executable, str(WORKER), *names]
        current = ""
        with subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as worker:
            for line in lines(worker):
                kind, name, *rest = line.split("\t")
                current = name if kind == "begin" else ""
                if kind == "end":
                    yield name, rest[0], rest[1]
        if not current:
            return
        yield current, "not tried", "ends its process, or hangs"
        names = names[names.index(current) + 1 :]


def main() -> None:
    """Print the table."""
    for row in sweep(sys.argv[1:] or all_names()):
        print("\t".join(row), flush=True)


if __name__ == "__main__":
    main()
