"""Tasks that a pool runs: whichever worker takes one, it draws from the task's own stream.

A race decides which worker takes which task, so streams of the workers alone would not do.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

from tf_repro import streams


class Task:
    """Calls a function as the task of a given path; travels to the worker in its place.

    In another process than the submitter's, the global generators start afresh from the task's
    path. In a thread of the same process they are shared with everyone and left alone, and only
    what is made without a seed there draws from the path.

    Attributes:
        observer: called with a task that has ended, in the process that ran it; set by the audit.
    """

    observer: "ClassVar[Callable[[Task], None] | None]" = None

    def __init__(self, function: Callable[..., Any], path: str) -> None:
        self.function = function
        self.path = path
        self.own_seeds = dict(streams.state.own_seeds)
        self.seed = streams.state.seed
        self.submitter = os.getpid()

    # A function may take an argument of any name, `self` as well.
    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call the function as this task."""
        return self.run(self.path, args, kwargs)

    def run(self, path: str, args: Iterable[Any], kwargs: dict[str, Any]) -> Any:
        """Call the function as the task of `path`."""
        before = streams.enter_task(path)
        try:
            if os.getpid() != self.submitter:
                streams.state.seed = self.seed
                streams.state.own_seeds = dict(self.own_seeds)
                streams.reseed_all()
            return self.function(*args, **kwargs)
        finally:
            streams.leave_task(before)
            if Task.observer is not None:
                Task.observer(self)


class Items(Task):
    """The tasks of a map: called with (index, item) pairs, which `numbered` makes."""

    def __call__(self, pair: tuple[int, Any]) -> Any:
        """Call the function with the item of an (index, item) pair."""
        return self.run(f"{self.path}[{pair[0]}]", (pair[1],), {})


class StarItems(Task):
    """The tasks of a starmap: called with an index and a tuple of arguments."""

    def __call__(self, index: int, arguments: Iterable[Any]) -> Any:
        """Call the function with the arguments of one item."""
        return self.run(f"{self.path}[{index}]", arguments, {})


def next_path(pool: Any) -> str:
    """Return the path of the next task of `pool`, an object that runs tasks.

    Each pool counts its own, so that one whose tasks follow the clock does not move another's.
    """
    scope = vars(pool).get("_tf_repro_scope")
    if scope is None:
        scope = pool._tf_repro_scope = streams.Scope(streams.child_path(type(pool).__name__))
    return f"{scope.path}/task{scope.number('task') + 1}"


def numbered(items: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    """Yield the items with their indices, for Items and StarItems.

    What is no iterable raises where the pool takes the first item, and not before.
    """
    yield from enumerate(items)
