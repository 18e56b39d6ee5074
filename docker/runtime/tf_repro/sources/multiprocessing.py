"""multiprocessing: processes by fork, forkserver or spawn, and the tasks of a Pool.

ThreadPool and joblib's MemmappingPool are Pools too.
"""

from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any

from tf_repro import patch, streams, tasks

# joblib's batches hold as many tasks as the clock suggests: `_on_joblib` numbers the tasks in them,
# and numbering the batches would only make later numbers depend on the clock.
BATCH = "BatchedCalls"


def is_batch(function: object) -> bool:
    """Return whether `function` is a batch of tasks that are numbered themselves."""
    return type(function).__name__ == BATCH or type(getattr(function, "func", 0)).__name__ == BATCH


def _changed(
    args: tuple[Any, ...], kwargs: dict[str, Any], at: int, name: str, change: Callable[[Any], Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of a call with one of them changed, by position or by name.

    Where it is not given they stay as they are, and the original complains in its own words.
    """
    if len(args) > at:
        return (*args[:at], change(args[at]), *args[at + 1 :]), kwargs
    if name in kwargs:
        return args, {**kwargs, name: change(kwargs[name])}
    return args, kwargs


def _on_process(module: ModuleType) -> None:
    """Give each process its path as it is made, and have it take it on as it starts.

    The Process object is what travels to the child, pickled or by fork, so its path does too.
    """

    @patch.around(module, "BaseProcess.__init__")
    def init(original: Callable[..., None], self: Any, /, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        state = streams.state
        self._tf_repro = streams.child_path("process"), state.seed, dict(state.own_seeds)

    @patch.around(module, "BaseProcess._bootstrap")
    def bootstrap(original: Callable[..., Any], self: Any, /, *args: Any, **kwargs: Any) -> Any:
        path, streams.state.seed, streams.state.own_seeds = self._tf_repro
        streams.enter_process(path)
        streams.reseed_all()
        return original(self, *args, **kwargs)


def _on_pool(module: ModuleType) -> None:
    @patch.around(module, "Pool.apply_async")
    def apply_async(original: Callable[..., Any], self: Any, /, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = _changed(args, kwargs, 0, "func", lambda function: _task(self, function))
        return original(self, *args, **kwargs)

    @patch.around(module, "Pool._map_async")
    def map_async(
        original: Callable[..., Any],
        self: Any,
        func: Callable[..., Any],
        iterable: Iterable[Any],
        mapper: Any,
        *rest: Any,
    ) -> Any:
        made = tasks.StarItems if mapper is module.starmapstar else tasks.Items
        items = tasks.numbered(iterable)
        return original(self, made(func, tasks.next_path(self)), items, mapper, *rest)

    for name in ("Pool.imap", "Pool.imap_unordered"):
        patch.around(module, name)(_imap)


def _imap(original: Callable[..., Any], self: Any, /, *args: Any, **kwargs: Any) -> Any:
    def items_of(function: Callable[..., Any]) -> tasks.Items:
        return tasks.Items(function, tasks.next_path(self))

    args, kwargs = _changed(args, kwargs, 0, "func", items_of)
    args, kwargs = _changed(args, kwargs, 1, "iterable", tasks.numbered)
    return original(self, *args, **kwargs)


def _on_executor(module: ModuleType) -> None:
    """Make the tasks of an executor draw from streams of their own.

    Executor.map hands in its items, or chunks of them, one by one with submit.
    """
    for name in ("ProcessPoolExecutor.submit", "ThreadPoolExecutor.submit"):
        executor = getattr(module, name.partition(".")[0], None)
        if executor is not None and executor.__module__ == module.__name__:
            patch.around(module, name)(_submit)


def _submit(original: Callable[..., Any], self: Any, /, *args: Any, **kwargs: Any) -> Any:
    args, kwargs = _changed(args, kwargs, 0, "fn", lambda function: _task(self, function))
    return original(self, *args, **kwargs)


def _task(pool: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    return function if is_batch(function) else tasks.Task(function, tasks.next_path(pool))


def _on_joblib(module: ModuleType) -> None:
    """Number the tasks themselves, before joblib packs them into batches by the clock."""

    @patch.around(module, "Parallel.__call__")
    def call(original: Callable[..., Any], self: Any, /, *args: Any, **kwargs: Any) -> Any:
        path = streams.child_path("joblib")

        def made(iterable: Iterable[Any]) -> Iterator[Any]:
            for index, (function, its_args, its_kwargs) in tasks.numbered(iterable):
                yield tasks.Task(function, f"{path}[{index}]"), its_args, its_kwargs

        args, kwargs = _changed(args, kwargs, 0, "iterable", made)
        return original(self, *args, **kwargs)


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "multiprocessing.process": _on_process,
    "multiprocessing.pool": _on_pool,
    "concurrent.futures.process": _on_executor,
    "concurrent.futures.thread": _on_executor,
    "loky.process_executor": _on_executor,
    "joblib.externals.loky.process_executor": _on_executor,
    "joblib.parallel": _on_joblib,
}
