"""Which line of the program made something, and whether the program will make it again.

A script that is started again runs to the line that restores, and on from there. What it then makes
is either what it had before it was interrupted, and goes on where that was, or the next one of its
kind, as in every turn of a loop. The loops around the two lines tell which: the one that made it,
and the one that the program was at when it saved.
"""

import dis
import functools
import hashlib
import itertools
import operator
import sys
from types import CodeType, FrameType
from typing import Any, NamedTuple

from tf_repro import caller

# As many as are remembered of what one path makes; a path that makes more is in a library's loop.
LARGEST = 256
# The function of TensorFlow's that traces all others: it runs once, whatever loop comes to it.
_TRACING = "func_graph_from_py_func"


class Place(NamedTuple):
    """Where something was made.

    Attributes:
        name: the user's line, and a digest of the path to it, as "train.py:12/5f0c".
        frames: that were on the stack, innermost first: id, code, and how far it was.
    """

    name: str
    frames: tuple[tuple[int, CodeType, int], ...]


class Now(NamedTuple):
    """Where the program is when it saves.

    Attributes:
        frames: id -> code, how far it is, and how many frames are around it.
        loop: the innermost loop of a training around it: frame, first and last offset; or None.
    """

    frames: dict[int, tuple[CodeType, int, int]]
    loop: "tuple[int, int, int] | None"


def here() -> Place:
    """Return the place of the code that led here."""
    line = ""
    path = hashlib.blake2b(digest_size=6)
    frames: list[tuple[int, CodeType, int]] = []
    traced = False
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        traced = traced or code.co_name == _TRACING
        frames.append((id(frame), code, frame.f_lasti))
        path.update(f"{code.co_name}:{frame.f_lasti};".encode())
        if not line and not is_library(code.co_filename):
            line = caller.shown(code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return Place(f"{line}/{path.hexdigest()}", () if traced else tuple(frames))


is_library = functools.lru_cache(4096)(caller.is_library)


def now() -> Now:
    """Return where the calling thread is."""
    found: list[tuple[int, CodeType, int]] = []
    loop = None
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code, offset = frame.f_code, frame.f_lasti
        found.append((id(frame), code, offset))
        if loop is None and _may_train(code):
            around = _innermost(code, offset)
            loop = None if around is None else (id(frame), *around)
        frame = frame.f_back
    depth = len(found)
    return Now({one: (code, at, depth - n) for n, (one, code, at) in enumerate(found)}, loop)


def _may_train(code: CodeType) -> bool:
    """Return whether a loop of this function may be that of a training: the user's, or Keras'."""
    return not is_library(code.co_filename) or (
        code.co_name == "fit" and "keras" in code.co_filename
    )


@functools.lru_cache(256)
def _loops(code: CodeType) -> tuple[tuple[int, int], ...]:
    """Return the loops of a function, as the offsets of their first and last instruction."""
    ends: dict[int, int] = {}
    for one in dis.get_instructions(code):
        if "BACKWARD" in one.opname:
            ends[one.argval] = max(one.offset, ends.get(one.argval, 0))
    return tuple(ends.items())


def _innermost(code: CodeType, offset: int) -> "tuple[int, int] | None":
    around = [loop for loop in _loops(code) if loop[0] <= offset <= loop[1]]
    return min(around, key=lambda loop: loop[1] - loop[0], default=None)


def turn() -> "int | None":
    """Return which turn of the user's innermost loop this is, by the number that counts it.

    None where there is no loop, or nothing counts it.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        around = None if is_library(code.co_filename) else _innermost(code, frame.f_lasti)
        if around is not None:
            value = frame.f_locals.get(_counted_by(code, around[0]))
            try:
                return operator.index(value)  # type: ignore[arg-type]  # raises what is no number
            except TypeError:
                return None
        frame = frame.f_back
    return None


@functools.lru_cache(256)
def _counted_by(code: CodeType, first: int) -> str:
    """Return the variable of a loop, by the offset of its first instruction; empty for `while`."""
    within = itertools.dropwhile(lambda one: one.offset < first, dis.get_instructions(code))
    # The head of a loop with a long body has its argument in parts.
    whole = (one for one in within if one.opname != "EXTENDED_ARG")
    opening = list(itertools.islice(whole, 3))  # FOR_ITER, UNPACK_SEQUENCE of `enumerate`, STORE
    if not opening or opening[0].opname != "FOR_ITER":
        return ""
    stores = (one.argval for one in opening[1:] if one.opname.startswith("STORE_"))
    return str(next(stores, ""))


def is_over(place: Place, at: Now, *, last: bool = True) -> bool:
    """Return whether a program that goes on from `at` makes the next one at `place`, not the same.

    It goes on with the next turn of the innermost loop. What was made in a turn of that loop is
    made anew; what was made before it, in the present turn of a loop around it, is made again.

    Args:
        place: where it was made.
        at: where the program is.
        last: whether nothing was made there since.
    """
    if at.loop is None or not place.frames:
        return False
    of_loop, first, end = at.loop
    frame, code, made, offset, depth = _common(place, at)
    if not depth or depth > at.frames[of_loop][2]:
        return True  # in a thread of a pipeline, or in a call that the loop makes
    if frame == of_loop and first <= made <= end:
        return True
    if any(one <= made <= two and one <= offset <= two for one, two in _loops(code)):
        return made > offset or not last
    return False


def _common(place: Place, at: Now) -> tuple[int, CodeType, int, int, int]:
    """Return the innermost frame that was on the stack when something was made, and still is.

    A frame that has ended may have left its id to another one. So they are followed from the
    outermost on, and no further than to the first that has moved on since.
    """
    common = (0, _common.__code__, 0, 0, 0)
    for depth, (frame, code, made) in enumerate(reversed(place.frames), 1):
        present, offset, found = at.frames.get(frame, (None, 0, 0))
        if present is not code or found != depth:
            break
        common = frame, code, made, offset, depth
        if made != offset:
            break
    return common


class _Line:
    """What one path has made of one kind."""

    __slots__ = ("count", "made", "to_come")

    def __init__(self) -> None:
        self.count = 0
        self.made: list[tuple[int, Place, Any]] = []
        self.to_come: dict[int, Any] = {}


class Ledger:
    """What the program has made of one kind, in order, path by path."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    def next(self, kind: str = "") -> "tuple[str, Any]":
        """Take down that the present path makes another one.

        Returns:
            its name, which is the same in a program that is started again, and what was kept of the
            one of this name, if it is to go on; else None.
        """
        place = here()
        name = f"{kind}@{place.name}"
        line = self._lines.setdefault(name, _Line())
        number = line.count
        line.count += 1
        line.made.append((number, place, None))
        del line.made[:-LARGEST]
        return f"{name}#{number}", line.to_come.pop(number, None)

    def keep(self, name: str, value: Any) -> None:
        """Keep a value with the last one of a path, whose name `next` gave."""
        line = self._lines[name.rpartition("#")[0]]
        number, place, _ = line.made[-1]
        line.made[-1] = number, place, value

    def save(self, values: "dict[str, Any] | None" = None) -> dict[str, Any]:
        """Return what a program that is started again has to know of it.

        Args:
            values: what is to be kept of each, by name. If None, what `keep` was given.
        """
        at = now()
        saved = {}
        for name, line in self._lines.items():
            kept, first = {}, line.count
            for number, place, value in line.made:
                if not is_over(place, at, last=number == line.count - 1):
                    first = min(first, number)
                    present = value if values is None else values.get(f"{name}#{number}")
                    if present is not None:
                        kept[number] = present
            kept.update(line.to_come)  # not made yet since the program was started again
            saved[name] = [min(first, *kept, first), *([kept] if kept else [])]
        return saved

    def restore(self, saved: dict[str, Any]) -> dict[str, Any]:
        """Go on from what `save` returned; return what was kept of those that are here already."""
        present = {}
        for name, (first, *rest) in saved.items():
            line = self._lines.setdefault(name, _Line())
            kept = {int(number): value for number, value in rest[0].items()} if rest else {}
            line.count = max(line.count, int(first))
            line.to_come = {n: value for n, value in kept.items() if n >= line.count}
            present.update({f"{name}#{n}": v for n, v in kept.items() if n < line.count})
        return present
