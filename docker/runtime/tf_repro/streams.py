"""Named streams of random numbers, all derived from the one seed.

Whoever asks the system for entropy gets a stream of its own instead. A stream's name says who
asks and for which time: "<scope>:<kind>#<n>", as in "/fork1:numpy.entropy#0". The scope is the
path from the first process down to this fork, process or task, so that two of them never repeat
each other. The numbers follow from the seed and the name alone; nothing that other kinds or other
scopes draw moves them.
"""

import itertools

# CPython's own, and not hashlib's: that is OpenSSL's, whose locks another thread may hold when a
# process forks, and the child then waits for ever; so does one that imports what is being imported.
from _sha3 import shake_256  # type: ignore[import-not-found]  # typeshed lists no private modules
from _thread import _count, _local  # all that threading adds to them is a millisecond

from tf_repro import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Bump it when the derivation changes; the golden values in the tests then change with it.
VERSION = 1


def derive(seed: int, name: str, bits: int) -> int:
    """Return the number of `bits` bits that the stream `name` gives under `seed`.

    SHAKE-256 (FIPS 202) over "tf-repro:<version>:<seed>:<name>". The seed is decimal, so the text
    can be read in one way only and no two pairs of seed and name share it.
    """
    text = f"tf-repro:{VERSION}:{seed}:{name}".encode("utf-8", "surrogatepass")
    size = (bits + 7) // 8
    digest = shake_256(text).digest(size)
    return int.from_bytes(digest, "little") >> (size * 8 - bits)


class Scope:
    """A place that draws streams: a process, a thread or a task, with counters of its own."""

    __slots__ = ("counters", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self.counters: dict[str, itertools.count[int]] = {}

    def number(self, kind: str) -> int:
        """Return how many times `kind` has been asked for here before."""
        # setdefault and next are each atomic under the GIL.
        return next(self.counters.setdefault(kind, itertools.count()))


class State:
    """What this process draws from.

    Attributes:
        seed: the seed of every stream, 0 to 2**32-1.
        process: the scope of this process; its path is "" in the first, or the first of a
            cluster.
        own_seeds: what the script itself seeded, by library. It is mixed into every stream, so
            that a script which loops over seeds sees its children and generators follow.
        observer: called with (kind, name) for every stream given out; set by the audit.
        own_seed_observer: called with (library, seed) for every seed of the script's own; set by
            the recorder.
        repeat_observer: called with what draws the same numbers again, by the rule of the library
            whose seed the script has given; set by the audit.
        numbered: called with a kind and what counts it, for the number of the next stream of that
            kind; set where a training may be resumed.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.process = Scope(settings.current.task or "")
        self.own_seeds: dict[str, str] = {}
        self.observer: Callable[[str, str], None] | None = None
        self.own_seed_observer: Callable[[str, object], None] | None = None
        self.repeat_observer: Callable[[str], None] | None = None
        self.numbered: Callable[[str, Callable[[], int]], int] | None = None


state = State(settings.current.seed)
# The task that a thread is at, if any: attribute "task", a Scope.
_thread_state = _local()


def scope() -> Scope:
    """Return the scope of the caller: its thread's task, or else its process."""
    task: Scope | None = getattr(_thread_state, "task", None)
    return state.process if task is None else task


def enter_task(path: str) -> "Scope | None":
    """Make the calling thread draw from `path`, afresh; return what it drew from before."""
    before: Scope | None = getattr(_thread_state, "task", None)
    _thread_state.task = Scope(path)
    return before


def leave_task(before: "Scope | None") -> None:
    """Go back to what enter_task returned."""
    _thread_state.task = before


def enter_process(path: str) -> None:
    """Make this process draw from `path`, afresh: it is a new one, or has just been forked."""
    state.process = Scope(path)
    _thread_state.task = None


def child_path(kind: str) -> str:
    """Return the path of the next child of the given kind, such as "/fork1/fork3"."""
    here = scope()
    return f"{here.path}/{kind}{here.number('/' + kind) + 1}"


def _named(name: str, bits: int) -> int:
    own = "".join(f"{key}={value};" for key, value in sorted(state.own_seeds.items()))
    return derive(state.seed, f"{name}?{own}" if own else name, bits)


def supply(kind: str, bits: int) -> int:
    """Return a number of `bits` bits for a caller who would have asked the system for entropy.

    Args:
        kind: what is asked for, such as "numpy.entropy". Each has a counter of its own.
        bits: how many.
    """
    here = scope()
    if state.numbered is None or here is not state.process:
        number = here.number(kind)
    else:
        number = state.numbered(kind, lambda: here.number(kind))
    return named(kind, f"{here.path}:{kind}#{number}", bits)


def named(kind: str, name: str, bits: int) -> int:
    """Return the number of `bits` bits of the stream `name`, which asks for `kind`."""
    if state.observer is not None:
        state.observer(kind, name)
    return _named(name, bits)


def seed_for(*names: "str | int") -> int:
    """Return the 32-bit seed that these names have, in any process: see `tf_repro.seed_for`."""
    import operator  # noqa: PLC0415  # half a millisecond of every start

    if not names:
        raise TypeError('seed_for takes at least one name, as in seed_for("trial", 3)')
    given = [name if isinstance(name, str) else operator.index(name) for name in names]
    return derive(state.seed, f"seed_for:{given!a}", 32)


def global_seed(kind: str) -> int:
    """Return the 32-bit seed for a library's global generator.

    It is the seed itself in the first process, so that the numbers equal those of a script that
    seeds itself, and a stream's in every other process or task.
    """
    here = scope()
    return _named(f"{here.path}:{kind}", 32) if here.path else state.seed


def note_own_seed(library: str, value: object) -> None:
    """Take down that the script itself seeded the global generator of `library`."""
    state.own_seeds[library] = repr(value)
    if state.own_seed_observer is not None:
        state.own_seed_observer(library, value)


def start_over(seed: int) -> None:
    """Begin every stream of this process again, under `seed`."""
    state.seed = seed
    state.own_seeds.clear()
    enter_process(state.process.path)


# Library -> function that gives its global generator the seed of the current scope.
_reseeders: "dict[str, Callable[[], None]]" = {}
# The same for a child that has just been forked.
_forked_reseeders: "dict[str, Callable[[], None]]" = {}
_next_fork = ""
_beside_threads = False


def on_new_process(
    library: str, reseed: "Callable[[], None]", forked: "Callable[[], None] | None" = None
) -> None:
    """Have `reseed` called in every forked or spawned process, and before every pooled task.

    Args:
        library: whose global generator it seeds.
        reseed: what does it, from `global_seed`.
        forked: what does it right after a fork, where `reseed` takes a lock: a thread of the
            parent may have held it at that moment, and in the child it is held for ever.
    """
    _reseeders[library] = reseed
    _forked_reseeders[library] = forked or reseed


def reseed_all() -> None:
    """Give the global generator of every imported library the seed of the current scope."""
    for reseed in _reseeders.values():
        reseed()


def before_fork() -> None:
    """Choose the path of the child, in the parent."""
    global _next_fork, _beside_threads  # noqa: PLW0603  # fork leaves no other way to hand it on
    _next_fork = child_path("fork")
    _beside_threads = _count() > 0


def after_fork() -> None:
    """Take the chosen path, in the child."""
    enter_process(_next_fork)


def reseed_forked() -> None:
    """Do what reseed_all does, in a child that has just been forked, and wait for no lock."""
    for reseed in _forked_reseeders.values():
        reseed()


def forked_beside_threads() -> bool:
    """Return whether other threads of the parent ran when this process was forked."""
    return _beside_threads
