"""Work that several threads do at the same time, given up as a whole when a part of it fails."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def results(running: Sequence[Future[T]]) -> list[T]:
    """Return what all of them come to, in order; what has not begun when one fails never does.

    Raises:
        Exception: what the first in order that failed has raised.
    """
    try:
        return [each.result() for each in running]
    finally:
        for each in running:
            each.cancel()
