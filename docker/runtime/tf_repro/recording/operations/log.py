"""The operations of a run on disk: a line for each kind, a line for each execution near the step.

Bounded by the steps around the one in question and by bytes, whatever the length of the training.
Values are kept where they are small, and at the step itself, so that two runs' can be compared.
"""

import hashlib
import json
import os
import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from tf_repro.environment import BISECT
from tf_repro.recording import writer
from tf_repro.recording.format import OPERATIONS, VALUES

# Steps on either side of the one in question whose operations are written, too: chance may part the
# extra pair at another step than the runs before it.
AROUND = 64
LINES_BYTES = 256 << 20  # of lines; a longer training leaves the rest out
# The bytes of values that are kept, as (largest single value, all of them together): many at the
# step in question, which `verify` compares number by number, and few at the steps around it.
AT_STEP = 16 << 20, 256 << 20
BESIDE = 1 << 16, 64 << 20

_step = int(os.environ.get(BISECT) or 1)
_lock = threading.Lock()


class _State:
    """How far the run is.

    Attributes:
        done: the steps that have ended; sequence: eager operations in the present one.
        block: moves with each eager operation, so that traced ones can be put in order among them.
        counts: executions of each traced operation.
        left: bytes that may still be kept as values, at the step and beside it.
    """

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.done = self.sequence = self.block = self.kinds = self.lines = 0
        self.counts: dict[int, int] = {}
        self.left = [AT_STEP[1], BESIDE[1]]
        self.files: tuple[Any, Any] | None = None
        self.values = 0


_state = _State()


def step_ended() -> None:
    """Note that a step has ended; what runs from now on belongs to the next one."""
    with _lock:
        _state.done += 1
        _state.sequence = 0


def is_at_step() -> bool:
    """Return whether the step that is running is the one in question."""
    return _state.done + 1 == _step


def define(**fields: Any) -> int:
    """Write what an operation is; return its number."""
    with _lock:
        _state.kinds += 1
        number = _state.kinds
        _write({"op": number, **fields}, always=True)
    return number


def eager_counts() -> bool:
    """Count an eager operation; return whether it is near enough to be kept."""
    with _lock:
        _state.sequence += 1
        _state.block += 1
        return _is_near()


def eager(
    number: int, inputs: Sequence[str], outputs: Sequence[str], values: Sequence[Any]
) -> None:
    """Write one execution of an eager operation, with the digests of both sides."""
    with _lock:
        row = {"e": number, "s": _state.done + 1, "b": _state.block, "q": _state.sequence}
        _write({**row, "i": inputs, "o": outputs, "v": _keep(values)})


def traced(number: int, values: Sequence[Any], pipeline: bool) -> None:
    """Write one execution of a traced operation, which hands over what came out of it."""
    with _lock:
        count = _state.counts[number] = _state.counts.get(number, 0) + 1
        if not (pipeline or _is_near()):
            return
        row = {"t": number, "s": _state.done + 1, "b": _state.block, "k": count}
    digests = [digest(one) for one in values]  # outside of the lock: it takes a while
    with _lock:
        _write({**row, "o": digests, "v": _keep(values)})


def digest(value: Any) -> str:
    """Return a digest of an array's type, shape and bytes."""
    array = np.asarray(value)
    whole = hashlib.blake2b(f"{array.dtype} {array.shape} ".encode(), digest_size=8)
    if array.dtype.kind == "O":
        whole.update(repr(array.tolist()).encode())
    else:
        whole.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
    return whole.hexdigest()


def _is_near() -> bool:
    return abs(_state.done + 1 - _step) <= AROUND and _state.lines < LINES_BYTES


def _keep(values: Sequence[Any]) -> list[Any]:
    """Append values to their file; return place, type and shape of each, or None."""
    which = 0 if is_at_step() else 1
    largest = (AT_STEP, BESIDE)[which][0]
    kept: list[Any] = []
    for value in values:
        array = np.asarray(value)
        if array.dtype.kind == "O" or not 0 < array.nbytes <= min(largest, _state.left[which]):
            kept.append(None)
            continue
        data = array.tobytes()
        kept.append([_state.values, array.dtype.name, list(array.shape)])
        _files()[1].write(data)
        _state.values += len(data)
        _state.left[which] -= len(data)
    return kept


def _write(row: dict[str, Any], *, always: bool = False) -> None:
    if _state.lines >= LINES_BYTES and not always:
        return
    line = json.dumps(row, separators=(",", ":")) + "\n"
    _state.lines += len(line)
    _files()[0].write(line.encode())


def _files() -> tuple[Any, Any]:
    if _state.files is None or _state.pid != os.getpid():
        _state.pid = os.getpid()
        name = f"{time.time_ns()}-{os.getpid()}"
        # Unbuffered: a run that is killed leaves what it had.
        _state.files = tuple(  # type: ignore[assignment]  # of two
            (writer.folder() / f"{name}{suffix}").open("ab", buffering=0)
            for suffix in (OPERATIONS, VALUES)
        )
        _state.values = 0
    assert _state.files
    return _state.files
