"""Dask: a task draws from the stream of its key, whichever worker takes it, also a second time.

A key is a name and a token of the arguments, or, for what may not be merged with its like, a UUID.
Two tasks may never share one, so a UUID stays truly random but for its last part, which numbers the
tasks of the script; a task's stream follows from that part alone.
https://distributed.dask.org/en/stable/client.html#pure-functions-by-default
"""

import functools
import multiprocessing
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch, streams

_UUID = re.compile("[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[0-9a-f]{4}-?([0-9a-f]{12})")
_NODE_BITS = 48


def path(key: object) -> str:
    """Return the path of the task of a key.

    >>> path(("sum-00f1e2d3c4b5a69788796a5b4c3d2e1f", 0))
    "/dask[('sum-00f1e2d3c4b5a69788796a5b4c3d2e1f', 0)]"
    >>> path("draw-dead3ad5-3b0c-4c1e-9d0a-0123456789ab")
    "/dask['draw-0123456789ab']"
    """
    return "/dask[" + _UUID.sub(r"\1", repr(key)) + "]"


def _run(key: object, run: Callable[[], Any], *, alone: bool) -> Any:
    """Run the task of a key; `alone`, if no other thread of the process runs tasks, too."""
    before = streams.enter_task(path(key))
    try:
        # A worker in the script's own process shares the global generators with the script.
        if alone and multiprocessing.parent_process() is not None:
            streams.reseed_all()
        return run()
    finally:
        streams.leave_task(before)


def _on_worker(module: ModuleType) -> None:
    @patch.around(module, "_run_task")
    def run_task(
        original: Callable[..., Any],
        task: Any,
        data: Any,
        execution_state: Any,
        key: Any,
        *rest: Any,
    ) -> Any:
        run = functools.partial(original, task, data, execution_state, key, *rest)
        return _run(key, run, alone=execution_state["worker"].state.nthreads == 1)


def _on_local(module: ModuleType) -> None:
    """Do the same for the schedulers without a cluster: of threads, and of processes."""

    @patch.around(module, "execute_task")
    def execute_task(original: Callable[..., Any], key: Any, *args: Any, **kwargs: Any) -> Any:
        return _run(key, functools.partial(original, key, *args, **kwargs), alone=True)


def _on_keys(module: ModuleType) -> None:
    import uuid  # noqa: PLC0415  # Dask has imported it

    def uuid4() -> uuid.UUID:
        node = streams.supply("dask.uuid4", _NODE_BITS)
        return uuid.UUID(int=uuid.uuid4().int >> _NODE_BITS << _NODE_BITS | node)

    numbering = ModuleType(uuid.__name__, uuid.__doc__)
    vars(numbering).update(vars(uuid), uuid4=functools.wraps(uuid.uuid4)(uuid4))
    vars(module)["uuid"] = numbering  # and in no other module


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "dask.delayed": _on_keys,
    "dask.local": _on_local,
    "distributed.client": _on_keys,
    "distributed.worker": _on_worker,
}
