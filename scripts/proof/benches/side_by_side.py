"""Interpreters that do the same in turn, so that a busy machine slows all of them.

Each runs a bench with --work, says what it can do as one line of JSON, and then does what the lines
of its stdin name, and answers each with the milliseconds that it took.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence


def start(bench: str, environ: Mapping[str, str], *argv: str) -> "subprocess.Popen[str]":
    """Start an interpreter that works.

    Args:
        bench: the name of its module, beside this one.
        environ: variables on top of this process's own.
        argv: arguments for it.
    """
    return subprocess.Popen(
        [sys.executable, "-m", f"{__package__}.{bench}", "--work", *argv],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def serve(tasks: "Mapping[str, Callable[[], object]]") -> None:
    """Say which tasks there are; do each that stdin names, and time it."""
    print(json.dumps(list(tasks)), flush=True)
    for line in sys.stdin:
        started = time.perf_counter()
        tasks[line.strip()]()
        print((time.perf_counter() - started) * 1000, flush=True)


def names(worker: "subprocess.Popen[str]") -> list[str]:
    """Return what a worker can do, once it is ready."""
    assert worker.stdout is not None
    found: list[str] = json.loads(worker.stdout.readline())
    return found


def ask(worker: "subprocess.Popen[str]", name: str) -> float:
    """Return how many milliseconds a worker takes for a task."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(f"{name}\n")
    worker.stdin.flush()
    return float(worker.stdout.readline())


def compared(pairs: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Return the figures of times without and with: the least of each, and the median ratio.

    The least is what it takes when nothing disturbs it; the median of the ratios says the same
    where the machine is never quiet.
    """
    without, ours = (min(side) for side in zip(*pairs, strict=True))
    median = statistics.median(b / a for a, b in pairs)
    return {
        "without_ms": without,
        "with_ms": ours,
        "ratio": ours / without,
        "median_ratio": median,
    }


def is_over(figures: Mapping[str, float], limit: float) -> bool:
    """Return whether neither ratio is within a limit."""
    return min(figures["ratio"], figures["median_ratio"]) > limit
