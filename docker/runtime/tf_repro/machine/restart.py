"""Begin this interpreter again where a guarantee has to be there before its first instruction.

Two have: the seed of str hashes, which CPython reads once and which -I and -E hide from it, and
the layout of the address space, which decides the order of a set of plain objects. Beginning
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

HIDDEN = "TF_REPRO_HIDDEN_"

# Interpreter options that take an argument, as the rest of the word or as the next one.
# https://docs.python.org/3.11/using/cmdline.html
_WITH_ARGUMENT = "WX"
_LAST = "cm"


def hash_seed_is_fixed() -> bool:
    """Return whether this interpreter was started with a seed for str hashes, and heeded it."""
    seed = os.environ.get(environment.HASH_SEED, "")
    return not sys.flags.ignore_environment and seed.isdigit()


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


def without_environment_flags(argv: list[str]) -> list[str]:
    """Return `argv` with -E and -I replaced by what they mean besides ignoring the environment.

    -I is -E, -P and -s together.
    """
    out = argv[:1]
    rest = iter(argv[1:])
    for word in rest:
        if word.startswith("--"):
            out.append(word)
            if word == "--check-hash-based-pycs":
                out.append(next(rest, ""))
            continue
        if not word.startswith("-") or word == "-":
            return [*out, word, *rest]
        kept = ""
        for at, letter in enumerate(word[1:], 1):
            if letter in _LAST + _WITH_ARGUMENT:
                kept += word[at:]
                break
            kept += {"I": "Ps", "E": ""}.get(letter, letter)
        if kept:
            out.append("-" + kept)
        if letter in _LAST:
            return [*out, *rest]
        if letter in _WITH_ARGUMENT and at == len(word) - 1:
            out.append(next(rest, ""))
    return out


def finish() -> bool:
    """Return whether this process has begun again, and put its environment back in order."""
    if environment.RESTARTED not in os.environ:
        return False
    mine = os.environ.pop(environment.RESTARTED) == str(os.getpid())
    for name in [name for name in os.environ if name.startswith(HIDDEN)]:
        os.environ[name.removeprefix(HIDDEN)] = os.environ.pop(name)
    return mine


def begin_again(chosen: "Settings") -> None:
    """Replace this process by one with the guarantees that it lacks; return if it lacks none."""
    environ: os._Environ[str] | dict[str, str] = os.environ
    argv = sys.orig_argv
    needed = False
    if chosen.mode == "off":
        image = environment.IMAGE_HASH_SEED
        needed = hash_seed_is_fixed() and environ[environment.HASH_SEED] == image
        environ = {k: v for k, v in environ.items() if k != environment.HASH_SEED}
    elif not environment.hash_seed_is_chosen():
        needed = True
        environ = dict(environ)
        environ.setdefault(environment.HASH_SEED, str(chosen.seed))
        if sys.flags.ignore_environment:
            argv = without_environment_flags(argv)
            for name in [name for name in environ if name.startswith("PYTHON")]:
                if name != environment.HASH_SEED:
                    environ[HIDDEN + name] = environ.pop(name)
    fix_addresses = chosen.mode != "off" and wants_fixed_addresses(chosen)
    if not (needed or fix_addresses) or not still_starting():
        return
    if fix_addresses and set_personality(personality() | ADDR_NO_RANDOMIZE) != -1:
        needed = True
    if needed:
        os.execve(sys.executable, argv, {**environ, environment.RESTARTED: str(os.getpid())})  # noqa: S606  # no shell is wanted


def wants_fixed_addresses(chosen: "Settings") -> bool:
    """Return whether to ask the kernel for a fixed layout from the next exec on."""
    if environment.addresses_stay(chosen):
        return False
    return not personality() & ADDR_NO_RANDOMIZE
