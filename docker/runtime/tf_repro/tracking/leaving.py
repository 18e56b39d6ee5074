"""Leaving a passport never costs the run: what goes wrong is one line, and the script goes on."""

import atexit
import functools
import os
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from tf_repro import messages

P = ParamSpec("P")
T = TypeVar("T")
_said: "set[str]" = set()


def safely(tracker: str) -> "Callable[[Callable[P, T]], Callable[P, T | None]]":
    """Return a decorator: what the function raises is told, once for each tracker.

    Args:
        tracker: gets no passport then.
    """

    def safe(function: "Callable[P, T]") -> "Callable[P, T | None]":
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> "T | None":
            try:
                return function(*args, **kwargs)
            except Exception as error:  # noqa: BLE001  # a server that is gone, a full disk
                if tracker not in _said:
                    _said.add(tracker)
                    reason = " ".join(str(error).split())
                    messages.warn(
                        f"{tracker} does not get the passport of this run: "
                        f"{type(error).__name__}: {reason}"
                    )
                return None

        return guarded

    return safe


def at_exit(function: "Callable[[], object]") -> None:
    """Call a function as this process ends, before the tracker's own that is registered already.

    A forked child has no run of its own to end.
    """
    process = os.getpid()
    atexit.register(lambda: function() if os.getpid() == process else None)
