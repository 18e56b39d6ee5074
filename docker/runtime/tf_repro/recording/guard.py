"""What goes wrong in recording stays in it: the program that is recorded runs on, and is told."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from tf_repro import messages
from tf_repro.recording import writer
from tf_repro.recording.format import Kind

SAID = 5  # a sample
_said: set[str] = set()

P = ParamSpec("P")
T = TypeVar("T")


def guarded(what: str) -> Callable[[Callable[P, T]], Callable[P, T | None]]:
    """Return a decorator: what the function raises is written down, and it returns None.

    Args:
        what: is not recorded then, in the words of the report.
    """

    def guard(function: Callable[P, T]) -> Callable[P, T | None]:
        @functools.wraps(function)
        def safe(*args: P.args, **kwargs: P.kwargs) -> T | None:
            try:
                return function(*args, **kwargs)
            except Exception as error:  # noqa: BLE001  # of whatever kind, it is ours
                _say(what, error)
                return None

        return safe

    return guard


def _say(what: str, error: Exception) -> None:
    """Write it into the record, and where that is what fails, on stderr; once for each of both."""
    name = type(error).__name__
    if f"{what} {name}" in _said or len(_said) >= SAID:
        return
    _said.add(f"{what} {name}")
    reason = f"{name}: {error}"
    try:
        writer.write(Kind.UNRECORDED, what=what, reason=reason)
    except Exception:  # noqa: BLE001  # the disk is full, or the folder is gone
        messages.warn(f"{what}: not recorded: {reason}")
