"""End on SIGTERM also as a container's first process.

To the first process of a PID namespace, Linux delivers no signal that it has no handler for, and
Python has none for SIGTERM: `docker stop` would wait for ten seconds and then kill. Our handler
does what the default action does anywhere else, and a program that asks for its handler is told
that it is the default one, so that one of its own (TensorBoard's, Lightning's) does not call ours.
https://man7.org/linux/man-pages/man7/pid_namespaces.7.html
"""

import _signal  # type: ignore[import-not-found]  # signal itself costs a millisecond of every start
import _thread
import os

from tf_repro import hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

FIRST = 1


def end_on_sigterm() -> None:
    """Have this process end at SIGTERM with 143, unless it ignores or handles it already."""
    if _signal.getsignal(_signal.SIGTERM) != _signal.SIG_DFL:
        return
    _signal.signal(_signal.SIGTERM, _end)
    os.register_at_fork(before=_hold, after_in_parent=_let_go, after_in_child=_be_no_first_process)
    hooks.on_import("signal", _hide)


def _end(number: int, _frame: object) -> None:
    """End at once, as by the default action: nothing is flushed, and nothing is cleaned up."""
    os._exit(128 + number)


# The signal masks of the threads that fork, as they were.
_masks: "dict[int, set[int]]" = {}


def _hold() -> None:
    """Hold SIGTERM back around a fork: CPython forgets what has come in a child by then.

    What has no handler is not forgotten, and a program may start a process and end it at once.
    https://github.com/python/cpython/blob/3.11/Modules/signalmodule.c (_PySignal_AfterFork)
    """
    _masks[_thread.get_ident()] = _signal.pthread_sigmask(_signal.SIG_BLOCK, (_signal.SIGTERM,))


def _let_go() -> None:
    _signal.pthread_sigmask(_signal.SIG_SETMASK, _masks.pop(_thread.get_ident()))


def _be_no_first_process() -> None:
    """Give a child the default action back; it is told of by its exit status, -15."""
    if _signal.getsignal(_signal.SIGTERM) is _end:
        _signal.signal(_signal.SIGTERM, _signal.SIG_DFL)
    _let_go()


def _hide(module: "ModuleType") -> None:
    from tf_repro import patch  # noqa: PLC0415  # functools costs a millisecond of every start

    def shown(handler: object) -> object:
        return module.SIG_DFL if handler is _end else handler

    @patch.around(module, "getsignal")
    def getsignal(original: "Callable[[Any], object]", signalnum: "Any") -> object:
        return shown(original(signalnum))

    @patch.around(module, "signal")
    def signal(
        original: "Callable[[Any, Any], object]", signalnum: "Any", handler: "Any"
    ) -> object:
        if handler == module.SIG_DFL and signalnum == module.SIGTERM and os.getpid() == FIRST:
            handler = _end
        return shown(original(signalnum, handler))
