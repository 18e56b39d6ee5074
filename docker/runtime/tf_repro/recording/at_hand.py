"""What this thread has at hand: the step that is being gathered, and whose work it is at.

The optimiser's update, the tape, XLA's functions and the recorder of operations all look here, so
that none of them has to know another.
"""

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from tf_repro.environment import BISECT

bisecting = BISECT in os.environ


class _Gathered(threading.local):
    """What the present step has so far, in the graph that it belongs to.

    Attributes:
        graph: the graph; a tensor of another one must not be used.
        batch: a digest of each example, or None outside of a train_step.
        loss: what the gradients were taken of.
        kept: what must be kept of the step before it ends, under `--bisect`.
        in_xla: whether the step is compiled by XLA, which knows no call to the host.
        in_update: whether an optimiser is at work, which may call another one.
    """

    def __init__(self) -> None:
        self.graph: Any = None
        self.batch: Any = None
        self.loss: Any = None
        self.kept: list[Any] = []
        self.in_xla = False
        self.in_update = False


class _Here(threading.local):
    """What this thread is at.

    Attributes:
        busy: at our own work, which is not the training's.
        pipeline: at tracing a function of tf.data.
    """

    def __init__(self) -> None:
        self.busy = False
        self.pipeline = False


gathered = _Gathered()
here = _Here()


def present() -> _Gathered:
    """Return what has been gathered in the present graph, which begins anew in another one."""
    graph = None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()
    if gathered.graph is not graph:
        gathered.graph, gathered.batch, gathered.loss, gathered.kept = graph, None, None, []
    return gathered


@contextlib.contextmanager
def in_xla(*, compiled: bool = True) -> Iterator[None]:
    """Know that what runs inside is compiled by XLA, if it is, or if what is around it is."""
    before = gathered.in_xla
    gathered.in_xla = before or compiled
    try:
        yield
    finally:
        gathered.in_xla = before


class Quiet:
    """What runs inside is ours, and none of the training's operations."""

    def __enter__(self) -> None:
        self.before, here.busy = here.busy, True

    def __exit__(self, *_: object) -> None:
        here.busy = self.before


def quiet() -> Any:
    """Keep the recorder's own operations out of what `--bisect` records."""
    return Quiet() if bisecting else contextlib.nullcontext()
