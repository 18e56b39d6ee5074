"""Begin this interpreter again where a guarantee has to be there before its first instruction.

Two have: the seed of str hashes, which CPython reads once, and the layout of the address space,
which decides the order of a set of plain objects. Isolation is not ours to take away: under -I and
-E CPython reads no seed, there is no other way to give it one, and hashes are random. Beginning
again costs as much as starting, some 15 ms, so it is done only where it changes something, and
only by an interpreter that is still starting: nothing has been read from stdin, no thread runs.
"""

import os
import sys

from tf_repro import environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tf_repro.settings import Settings

# linux/personality.h
ADDR_NO_RANDOMIZE = 0x0040000


def hash_seed_is_fixed() -> bool:
    """Return whether this interpreter was started with a seed for str hashes, and heeded it."""
    seed = os.environ.get(environment.HASH_SEED, "")
    hidden = sys.flags.ignore_environment or asks_for_random_hashes(sys.orig_argv)
    return not hidden and seed.isdigit()


def asks_for_random_hashes(argv: list[str]) -> bool:
    """Return whether a command line of the interpreter has its option -R, which sys.flags hides.

    Options end with the first word that is none, and with -c and -m; -W and -X take an argument.
    https://docs.python.org/3.11/using/cmdline.html
    """
    words = iter(argv[1:])
    for word in words:
        if not word.startswith("-") or word == "-":
            return False
        if word == "--check-hash-based-pycs":
            next(words, "")
        options = "" if word.startswith("--") else word[1:]
        for at, letter in enumerate(options):
            if letter in "Rcm":
                return letter == "R"
            if letter in "WX":
                if at == len(options) - 1:
                    next(words, "")
                break
    return False


def why_hashes() -> str:
    """Return what decides the hashes of str in this interpreter, as the user would name it."""
    name = environment.HASH_SEED
    if sys.flags.ignore_environment:
        return f"-I or -E hides {name}, and isolation comes first: without them hashes are fixed"
    if asks_for_random_hashes(sys.orig_argv):
        return "-R asks for random ones"
    value = os.environ.get(name)
    if value == "":
        return f"{name} is empty, which Python takes for random"
    return f"{name} is not set" if value is None else f"{name}={value}"


def personality() -> int:
    """Return the flags of this process' execution domain; 0 where /proc does not say."""
    try:
        file = os.open("/proc/self/personality", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return int(os.read(file, 16), 16)
        finally:
            os.close(file)
    except (OSError, ValueError):
        return 0


def set_personality(flags: int) -> int:
    """Set the execution domain's flags; return the previous ones, or -1 where it is refused."""
    import _ctypes  # noqa: PLC0415  # ctypes without the 4 ms of its Python half

    library = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]  # None is the program itself
    function = _ctypes.dlsym(library, "personality")
    return int(_ctypes.call_function(function, (flags,)))


def still_starting() -> bool:
    """Return whether the interpreter is at its start, so that beginning again loses nothing."""
    if sys.flags.no_site or not sys.executable or not sys.orig_argv:
        return False
    frame = sys._getframe()
    while frame is not None:
        if frame.f_globals.get("__name__") == "__main__":
            return False
        frame = frame.f_back  # type: ignore[assignment]  # None ends the loop
    try:
        # An embedding program (mod_wsgi, gdb) is not its sys.executable. pathlib costs 4 ms.
        own, named = os.stat("/proc/self/exe"), os.stat(sys.executable)  # noqa: PTH116  # no pathlib
        return own.st_ino == named.st_ino and len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208  # as above
    except OSError:
        return False


def finish() -> bool:
    """Return whether this process has begun again, and leave no trace of it."""
    if environment.RESTARTED not in os.environ:
        return False
    return os.environ.pop(environment.RESTARTED) == str(os.getpid())


def begin_again(chosen: "Settings") -> None:
    """Replace this process by one with the guarantees that it lacks; return if it lacks none."""
    environ = dict(os.environ)
    needed = environment.lacks_hash_seed(chosen, environ)
    if needed and chosen.mode == "off":
        del environ[environment.HASH_SEED]
    elif needed:
        environ[environment.HASH_SEED] = environment.our_hash_seed(chosen.seed)
    fix_addresses = chosen.mode != "off" and wants_fixed_addresses(chosen)
    if not (needed or fix_addresses) or not still_starting():
        return
    if fix_addresses and set_personality(personality() | ADDR_NO_RANDOMIZE) != -1:
        needed = True
    if needed:
        environ[environment.RESTARTED] = str(os.getpid())
        os.execve(sys.executable, sys.orig_argv, environ)  # noqa: S606  # no shell is wanted


def wants_fixed_addresses(chosen: "Settings") -> bool:
    """Return whether to ask the kernel for a fixed layout from the next exec on."""
    if environment.addresses_stay(chosen):
        return False
    return not personality() & ADDR_NO_RANDOMIZE
