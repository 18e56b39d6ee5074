"""Workers of gunicorn that draw, say so and end, so that the master forks others in their place.

With --preload, the application and its busy threads are in the master. STRESS_SECONDS says how long.
"""

import os
import time
from pathlib import Path

import forks

bind = "127.0.0.1:0"
workers = 2
# A worker that hangs would only be ended after this.
timeout = 120
DRAWN = Path("drawn")
UNTIL = time.monotonic() + float(os.environ["STRESS_SECONDS"])
forked: list[int] = []
_last = [0.0]


def pre_fork(server, worker) -> None:
    """Count it; in the master."""
    forked.append(1)
    if time.monotonic() > UNTIL:
        report()


def report() -> None:
    """Say how many workers were forked, and how many said what they drew, and end the master."""
    time.sleep(forks.PATIENCE if len(list(DRAWN.iterdir())) < len(forked) - 1 else 1)
    drawn = [one.read_text() for one in DRAWN.iterdir()]
    # The one before which this is called is not forked any more.
    hung, repeated = len(forked) - 1 - len(drawn), len(drawn) - len(set(drawn))
    print(f"gunicorn: {len(forked) - 1} children, {hung} hung, {repeated} repeated", flush=True)
    os._exit(0)


def post_fork(server, worker) -> None:
    """Draw, and leave it where the master finds it; in the worker."""
    (DRAWN / str(os.getpid())).write_text(forks.draw())


def post_worker_init(worker) -> None:
    """End a worker that has loaded the application."""
    os._exit(0)
