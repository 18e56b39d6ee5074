"""The audit's half that runs inside the program: notes who draws what, and where.

It is there only under `tf-repro audit`, which names a folder in TF_REPRO_AUDIT; every process of
the program leaves one file in it.
"""

import atexit
import functools
import json
import os
import re
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import caller, environment, hooks, patch, streams, tasks
from tf_repro.machine import restart

# What became of a request for randomness.
STREAM = "stream"
GLOBAL_SEED = "global seed"
STAYS_RANDOM = "stays random"
UNORDERED = "not ordered"
REPEATS = "repeats"
NOT_FIXED = "not fixed"

HASHES = "hashes of str"
# Functions that set or read the state of a global generator: they draw nothing from it, so that
# their calls are not followed.
_STATE = {"seed", "getstate", "setstate", "get_state", "set_state"}
# Directory listings follow the file system. https://docs.python.org/3/library/audit_events.html
_LISTINGS = frozenset({"os.listdir", "os.scandir"})
# Libraries that reach past NumPy's functions to the global generator itself.
_CHECK_RANDOM_STATE = {"sklearn.utils.validation": "scikit-learn", "scipy._lib._util": "SciPy"}

Key = tuple[str, str, str, int]


def order(stream: str) -> "list[str | int]":
    """Return what puts names of streams in order, their numbers as numbers: [9] before [10]."""
    parts: list[str | int] = [*re.split(r"([0-9]+)", stream)]
    parts[1::2] = map(int, parts[1::2])  # what is in the brackets, between what is not
    return parts


class Note:
    """How often one line of code asked for one thing, and the first and last stream it got."""

    __slots__ = ("count", "first", "last", "threads")

    def __init__(self, first: str) -> None:
        self.count = 0
        self.first = self.last = first
        self.threads: set[str] = set()


_notes: dict[Key, Note] = {}


def note(what: str, outcome: str, stream: str) -> None:
    """Take down that the user's present line asked for `what`."""
    file, line = caller.place()
    if caller.is_importing():
        if outcome == UNORDERED:
            return  # the library sorts out what it finds
        what += " (at import)"
    entry = _notes.setdefault((what, outcome, caller.named(file), line), Note(stream))
    entry.count += 1
    if stream not in (entry.first, entry.last):
        entry.first = min(entry.first, stream, key=order)
        entry.last = max(entry.last, stream, key=order)
    entry.threads.add(threading.current_thread().name)


def install() -> None:
    """Begin to take notes in this process and those that it forks."""
    if not restart.hash_seed_is_fixed():
        entry = _notes.setdefault((HASHES, NOT_FIXED, restart.why_hashes(), 0), Note(""))
        entry.count += 1
    streams.state.observer = lambda what, stream: note(what, STREAM, stream)
    streams.state.repeat_observer = lambda what: note(what, REPEATS, "")
    _follow(os, "urandom", "os.urandom")
    sys.addaudithook(_on_audit_event)
    atexit.register(write)

    # multiprocessing's forked children, and many others, end without atexit.
    @patch.around(os, "_exit")
    def leave(original: Callable[[int], None], status: int) -> None:
        write()
        original(status)

    tasks.Task.observer = _write_after_task
    os.register_at_fork(after_in_child=_notes.clear)
    for module, library in _CHECK_RANDOM_STATE.items():
        hooks.on_import(module, functools.partial(_on_check_random_state, library))


def _write_after_task(task: tasks.Task) -> None:
    """Leave the notes of a pool's task as it ends: its worker may be killed at any time."""
    if os.getpid() != task.submitter:
        write()


def on_import(module: ModuleType) -> None:
    """Follow the global generator of `module`, if it is one that has functions for it."""
    if module.__name__ == "random":
        methods = {name: value for name, value in vars(module).items() if _is_of(value, module)}
        _follow_global(module, methods, "random")
    elif module.__name__ == "numpy.random":
        owner = module.mtrand._rand
        methods = {
            name: value
            for name, value in vars(module).items()
            if getattr(value, "__self__", None) is owner
        }
        _follow_global(module, methods, "numpy")
    elif module.__name__ == "tensorflow.python.framework.random_seed":
        _follow_tensorflow(module)


def _is_of(value: object, module: ModuleType) -> bool:
    return getattr(value, "__self__", None) is module._inst


def _follow_global(module: ModuleType, methods: dict[str, Any], library: str) -> None:
    for name in methods:
        if name not in _STATE:
            patch.around(module, name)(_following(f"{library} (global)", library))


def _following(what: str, library: str) -> Callable[..., Any]:
    """Return what takes down each call for which the script has not seeded `library`."""

    def follow(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if library not in streams.state.own_seeds:
            note(what, GLOBAL_SEED, f"{streams.scope().path}:{library}")
        return original(*args, **kwargs)

    return follow


def _follow_tensorflow(module: ModuleType) -> None:
    @patch.around(module, "get_seed")
    def get_seed(original: Callable[..., Any], op_seed: Any) -> Any:
        # In a graph the op gets a stream, which the observer sees.
        eager = module.context.executing_eagerly()
        if op_seed is None and eager and "tensorflow" not in streams.state.own_seeds:
            note("tensorflow (op)", GLOBAL_SEED, f"{streams.scope().path}:tensorflow")
        return original(op_seed)


def _on_check_random_state(library: str, module: ModuleType) -> None:
    @patch.around(module, "check_random_state")
    def check_random_state(original: Callable[..., Any], seed: Any) -> Any:
        if seed is None and "numpy" not in streams.state.own_seeds:
            note(f"numpy (global, by {library})", GLOBAL_SEED, f"{streams.scope().path}:numpy")
        return original(seed)


def _follow(module: ModuleType, name: str, what: str) -> None:
    @patch.around(module, name)
    def follow(original: Callable[..., Any], *args: Any) -> Any:
        note(what, STAYS_RANDOM, "")
        return original(*args)


def _on_audit_event(event: str, _: tuple[object, ...]) -> None:
    if event in _LISTINGS:
        note(event, UNORDERED, "")


def write() -> None:
    """Leave this process' notes, and forget them."""
    folder = os.environ.get(environment.AUDIT)
    if not folder or not _notes:
        return
    rows = [
        {
            "what": what,
            "outcome": outcome,
            "file": file,
            "line": line,
            "count": entry.count,
            "first_stream": entry.first,
            "last_stream": entry.last,
            "threads": sorted(entry.threads),
            "process": os.getpid(),
            "seed": streams.state.seed,
        }
        for (what, outcome, file, line), entry in sorted(_notes.items())
    ]
    _notes.clear()
    # A process that forks on after its last note writes again, hence the append.
    name = os.path.join(folder, f"{os.getpid()}.jsonl")  # noqa: PTH118  # pathlib may be gone
    with open(name, "a", encoding="utf-8") as file_object:  # noqa: PTH123  # at exit, as above
        file_object.writelines(json.dumps(row) + "\n" for row in rows)
