"""The moment at which a program that is started again comes to the loop that it was in.

Between the line that restores a checkpoint and the loop of the training, a script does what it did
when it was started first, and draws the same for it: a split of the data, the weights of a layer
that is not saved. Only in the loop it goes on with what was saved.
"""

import os
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from tf_repro.resume import places


def loop() -> "dict[str, Any] | None":
    """Return which loop the program is in, for `when_entered` in a program that goes on from it."""
    at = places.now()
    if at.loop is None:
        return None
    frame, first, end = at.loop
    code = at.frames[frame][0]
    if places.is_library(code.co_filename):
        return {"fit": True}
    return {"code": _name(code), "first": first, "end": end}


def _name(code: CodeType) -> str:
    return f"{os.path.basename(code.co_filename)}:{code.co_firstlineno}:{code.co_qualname}"  # noqa: PTH119  # compared as text


def when_entered(which: dict[str, Any], function: Callable[[], None]) -> None:
    """Call a function once, as soon as the calling thread comes to a loop of the user's.

    Where somebody else watches the program, as a debugger does, it is called at once.
    """
    first, end = int(which["first"]), int(which["end"])
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _name(frame.f_code) != which["code"]:
        frame = frame.f_back
    if sys.gettrace() is not None or (frame is not None and first <= frame.f_lasti <= end):
        function()
        return

    def within(frame: FrameType, event: str, _: Any) -> Any:
        if event == "opcode" and first <= frame.f_lasti <= end:
            frame.f_trace, frame.f_trace_opcodes = None, False
            sys.settrace(None)
            function()
            return None
        return within

    def on_call(frame: FrameType, _: str, __: Any) -> Any:
        if _name(frame.f_code) != which["code"]:
            return None
        frame.f_trace_opcodes = True
        return within

    if frame is not None:
        frame.f_trace, frame.f_trace_opcodes = within, True
    sys.settrace(on_call)
