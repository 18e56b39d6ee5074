"""multiprocessing: processes by fork, forkserver or spawn, and the tasks of a Pool.

ThreadPool and joblib's MemmappingPool are Pools too.
"""

import functools
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from tf_repro import streams, tasks

# joblib's batches hold as many tasks as the clock suggests: `_on_joblib` numbers the tasks in them,
# and numbering the batches would only make later numbers depend on the clock.
BATCH = "BatchedCalls"


def is_batch(function: object) -> bool:
    """Return whether `function` is a batch of tasks that are numbered themselves."""
    return type(function).__name__ == BATCH or type(getattr(function, "func", 0)).__name__ == BATCH


def _on_process(module: ModuleType) -> None:
    """Give each process its path as it is made, and have it take it on as it starts.

    The Process object is what travels to the child, pickled or by fork, so its path does too.
    """
    process = module.BaseProcess
    original_init, original_bootstrap = process.__init__, process._bootstrap

    @functools.wraps(original_init)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original_init(self, *args, **kwargs)
        state = streams.state
        self._tf_repro = streams.child_path("process"), state.seed, dict(state.own_seeds)

    @functools.wraps(original_bootstrap)
    def bootstrap(self: Any, *args: Any, **kwargs: Any) -> Any:
        path, streams.state.seed, streams.state.own_seeds = self._tf_repro
        streams.enter_process(path)
        streams.reseed_all()
        return original_bootstrap(self, *args, **kwargs)

    process.__init__ = init
    process._bootstrap = bootstrap


def _on_pool(module: ModuleType) -> None:
    pool = module.Pool
    original_apply, original_map = pool.apply_async, pool._map_async

    @functools.wraps(original_apply)
    def apply_async(self: Any, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not is_batch(func):
            func = tasks.Task(func, tasks.next_path(self))
        return original_apply(self, func, *args, **kwargs)

    @functools.wraps(original_map)
    def map_async(
        self: Any, func: Callable[..., Any], iterable: Iterable[Any], mapper: Any, *rest: Any
    ) -> Any:
        made = tasks.StarItems if mapper is module.starmapstar else tasks.Items
        items = list(tasks.numbered(iterable))
        return original_map(self, made(func, tasks.next_path(self)), items, mapper, *rest)

    def numbering(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def imap(
            self: Any, func: Callable[..., Any], iterable: Iterable[Any], *rest: Any, **named: Any
        ) -> Any:
            made = tasks.Items(func, tasks.next_path(self))
            return original(self, made, tasks.numbered(iterable), *rest, **named)

        return imap

    pool.apply_async = apply_async
    pool._map_async = map_async
    pool.imap = numbering(pool.imap)
    pool.imap_unordered = numbering(pool.imap_unordered)


def _on_executor(module: ModuleType) -> None:
    """Make the tasks of an executor draw from streams of their own.

    Executor.map hands in its items, or chunks of them, one by one with submit.
    """
    for name in ("ProcessPoolExecutor", "ThreadPoolExecutor"):
        executor = getattr(module, name, None)
        if executor is not None and executor.__module__ == module.__name__:
            executor.submit = _submitting(executor.submit)


def _submitting(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def submit(self: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if not is_batch(fn):
            fn = tasks.Task(fn, tasks.next_path(self))
        return original(self, fn, *args, **kwargs)

    return submit


def _on_joblib(module: ModuleType) -> None:
    """Number the tasks themselves, before joblib packs them into batches by the clock."""
    original = module.Parallel.__call__

    @functools.wraps(original)
    def call(self: Any, iterable: Iterable[Any]) -> Any:
        path = streams.child_path("joblib")
        made = (
            (tasks.Task(function, f"{path}[{index}]"), args, kwargs)
            for index, (function, args, kwargs) in tasks.numbered(iterable)
        )
        return original(self, made)

    module.Parallel.__call__ = call


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "multiprocessing.process": _on_process,
    "multiprocessing.pool": _on_pool,
    "concurrent.futures.process": _on_executor,
    "concurrent.futures.thread": _on_executor,
    "loky.process_executor": _on_executor,
    "joblib.externals.loky.process_executor": _on_executor,
    "joblib.parallel": _on_joblib,
}
