"""What we say to the user, a line each on stderr; stdout belongs to programs and reports."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

# os.EX_CONFIG of sysexits.h: something was found in an unconfigured or misconfigured state.
EXIT_WRONG_SETTING = 78


def warn(line: str) -> None:
    """Write one line on stderr, where sys.stderr may not be there yet."""
    os.write(2, f"tf-repro: {line}\n".encode("utf-8", "backslashreplace"))


def stop(line: str) -> "NoReturn":
    """End this interpreter with one line on stderr.

    SystemExit would become a "Fatal Python error" with a traceback while site is imported.
    """
    warn(line)
    os._exit(EXIT_WRONG_SETTING)


def say(line: str) -> None:
    """Tell the user something from a command of ours; stdout is for its report."""
    sys.stderr.write(f"tf-repro: {line}\n")


def of_hook(what: str, module: str) -> None:
    """Say what happens to a hook, and with which release; under TF_REPRO_DEBUG=1."""
    seen = release(module)
    warn(f"debug: the hook of {module} {what}" + (f" ({seen})" if " " in seen else ""))


def release(module: str) -> str:
    """Return the library that a module belongs to and its release, as in "numpy 2.1.3"."""
    library = module.partition(".")[0]
    if library in sys.stdlib_module_names:
        return f"Python {sys.version.split()[0]}"
    seen = sys.modules.get(library)
    version = getattr(seen, "__version__", "") or (_installed(library) if seen else "")
    return f"{library} {version}".rstrip()


def _installed(library: str) -> str:
    """Return the release of a library that is being imported, and does not know its own yet."""
    from importlib import metadata  # noqa: PLC0415  # for who debugs, or has a new release

    for distribution in (library, f"{library}-cpu"):
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return ""
