"""Starting other programs so that they end with us, and that their failure is one clear line."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.errors import KitError

# util-linux's setpriv asks the kernel to kill the child when we die, even by SIGKILL, when no
# `finally` of ours runs: prctl(2), PR_SET_PDEATHSIG.
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")


def require_program(name: str, remedy: str) -> str:
    """Return the path of program `name`, or raise KitError with the remedy."""
    if path := shutil.which(name):
        return path
    raise KitError(f"{name} is not on this machine's PATH; {remedy}")


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    cwd: Path | None = None,
    error: str = "",
) -> str:
    """Run a program to its end and return its stdout.

    Args:
        argv: the program and its arguments.
        env: variables set on top of our own environment.
        stdin: text for its standard input.
        cwd: the folder it runs in.
        error: what to say first if it fails; by default the program's name.

    Raises:
        KitError: it exited non-zero. The line ends with the last thing it said on stderr.
    """
    done = subprocess.run(
        [*DIES_WITH_US, *argv],
        env={**os.environ, **(env or {})},
        input=stdin,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise KitError(f"{error or Path(argv[0]).name}: {last_words(done.stderr or done.stdout)}")
    return done.stdout


def last_words(output: str) -> str:
    """Return the line of a failed program's output that says most: its first error or its end."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("e:", "error", "fatal"))]
    return (errors or lines[-1:] or ["it failed and said nothing"])[0]
