"""Whose line of code it was: for warnings, and for the audit."""

import inspect
import os
import site
import sys
import sysconfig
import warnings
from collections.abc import Callable, Mapping
from typing import Any

_LIBRARY_FOLDERS = tuple(
    folder + os.sep
    for folder in {
        sysconfig.get_path("stdlib"),
        sysconfig.get_path("platstdlib"),
        *site.getsitepackages(),
        site.getusersitepackages(),
        os.path.dirname(__file__),  # noqa: PTH120  # these are compared as text
    }
)
# https://github.com/tensorflow/tensorflow/blob/master/tensorflow/python/autograph/pyct/loader.py
_GENERATED = os.sep + "__autograph_generated_file"


class TurnedBackWarning(UserWarning):
    """Strict mode has changed an argument that would have broken the promise."""


def is_library(filename: str) -> bool:
    """Return whether `filename` belongs to Python, to an installed package or to us.

    Code that AutoGraph has generated counts, too: nobody can look up its line in a temporary file.
    """
    return (
        filename.startswith((*_LIBRARY_FOLDERS, "<frozen"))
        or "/site-packages/" in filename
        or _GENERATED in filename
    )


def place() -> tuple[str, int]:
    """Return the file and line of the user's own code that led here.

    It is the innermost frame that is no library's; where there is none, the outermost of all.
    """
    frame = sys._getframe(1)
    while is_library(frame.f_code.co_filename) and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def shown(file: str, line: int) -> str:
    """Return "file:line", from the working folder on: each run of `verify` has one of its own."""
    file = named(file)
    return f"{file.removeprefix(os.getcwd() + os.sep)}:{line}"  # noqa: PTH109  # compared as text


def named(file: str) -> str:
    """Return what a file of code is called: a cell of a notebook In[n].

    Its own file is named by the kernel's process, and is not there. A worker that a kernel has
    sent a function to does not know of which cell it is.
    """
    if "/ipykernel_" not in file:
        return file
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    named = shell.compile.format_code_name(file) if shell else None
    return str(named[1]) if named else "In[?]"


def is_importing() -> bool:
    """Return whether the user's line imports something, and a library is at its start."""
    frame = sys._getframe(1)
    while is_library(frame.f_code.co_filename) and frame.f_back is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def is_called_by_library(besides: str) -> bool:
    """Return whether the code that called into the package `besides` is itself a library's."""
    frame = sys._getframe(1)
    inner = ("tf_repro", besides)
    while (
        frame.f_back is not None and str(frame.f_globals.get("__name__")).partition(".")[0] in inner
    ):
        frame = frame.f_back
    return is_library(frame.f_code.co_filename)


def turn_back(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    rules: Mapping[str, tuple[Callable[[Any], bool], Any]],
    *,
    quiet: bool = False,
) -> dict[str, Any]:
    """Return the arguments of a call, by name, with those that break the promise turned back.

    Args:
        function: what is called; every argument that it takes can be given by name.
        args: given by position.
        kwargs: given by name.
        rules: argument -> (whether a value breaks the promise, the value to give instead).
        quiet: say nothing, because it is not the user who gave them.
    """
    bound = inspect.signature(function).bind(*args, **kwargs)
    given = dict(bound.arguments)
    given.update(given.pop("kwargs", {}))
    for name, (breaks, instead) in rules.items():
        bound.apply_defaults()
        value = given.get(name, bound.arguments.get(name))
        if value is not None and breaks(value):
            given[name] = instead
            if quiet:
                continue
            warn(f"{function.__qualname__}({name}={value!r}) is turned back to {instead!r}")
    return given


def warn(message: str) -> None:
    """Warn of something in the user's own line of code, once for each line."""
    file, line = place()
    warnings.warn_explicit(f"tf-repro: {message}", TurnedBackWarning, file, line)
