"""Starting other programs so that they end with us, and that their failure is one clear line.

The one place of the kit that starts any, so that `-v` shows all of them.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.errors import KitError
from scripts.ui import say

# util-linux's setpriv asks the kernel to kill the child when we die, even by SIGKILL, when no
# `finally` of ours runs: prctl(2), PR_SET_PDEATHSIG.
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")
# https://user:password@mirror.example/: an address may hold what nobody is to read in a log.
PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):[^/\s]*@")


@dataclass
class Telling:
    """What is said while programs run; `-v` sets it."""

    commands: bool = False


telling = Telling()


def start(
    argv: Sequence[str | Path],
    *,
    tied: bool = True,
    **options: Any,  # noqa: ANN401 - what Popen takes
) -> subprocess.Popen[Any]:
    """Start a program.

    Args:
        argv: the program and its arguments.
        tied: whether it dies with us, however we end.
        options: of `subprocess.Popen`.
    """
    _tell(argv)
    return subprocess.Popen([*(DIES_WITH_US if tied else ()), *argv], **options)


def finish(
    argv: Sequence[str | Path],
    **options: Any,  # noqa: ANN401 - what subprocess.run takes
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, and return what it said and how it ended, whatever that is.

    Args:
        argv: the program and its arguments.
        options: of `subprocess.run`; its output is captured.
    """
    _tell(argv)
    return subprocess.run(
        [*DIES_WITH_US, *argv], capture_output=True, text=True, check=False, **options
    )


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
    done = finish(argv, env={**os.environ, **(env or {})}, input=stdin, cwd=cwd)
    if done.returncode:
        raise KitError(f"{error or Path(argv[0]).name}: {last_words(done.stderr or done.stdout)}")
    return done.stdout


def require_program(name: str, remedy: str) -> str:
    """Return the path of program `name`, or raise KitError with the remedy."""
    if path := shutil.which(name):
        return path
    raise KitError(f"{name} is not on this machine's PATH; {remedy}")


def last_words(output: str) -> str:
    """Return the line of a failed program's output that says most: its first error or its end."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("e:", "error", "fatal"))]
    return (errors or lines[-1:] or ["it failed and said nothing"])[0]


def _tell(argv: Sequence[str | Path]) -> None:
    """Say which program is started, as a shell would take it, on one line and without passwords."""
    if telling.commands:
        words = (PASSWORD.sub(r"\1:***@", str(word)) for word in argv)
        say(f"+ {' '.join(_quoted(word) for word in words)}", style="dim")


def _quoted(word: str) -> str:
    r"""Quote a word for a shell, and write what would break the line as $'…' has it.

    >>> print(_quoted("it's"), _quoted("two\nlines"))
    'it'"'"'s' $'two\u000alines'
    """
    if word.isprintable():
        return shlex.quote(word)
    written = (
        f"\\{one}" if one in "\\'" else one if one.isprintable() else f"\\u{ord(one):04x}"
        for one in word
    )
    return f"$'{''.join(written)}'"
