"""What every verb of the command line has in common: `-v`, errors of one line, being stopped."""

from __future__ import annotations

import functools
import inspect
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Annotated

import typer

from scripts.errors import KitError
from scripts.processes import telling
from scripts.ui import say

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", envvar="VERBOSE", help="Print the commands that it runs."),
]


def verb(function: Callable[..., None]) -> Callable[..., None]:
    """Make a function a verb; whatever options it has, `-v` is one more."""
    signature = inspect.signature(function, eval_str=True)
    told = inspect.Parameter(
        "verbose", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Verbose
    )

    @functools.wraps(function)
    def run(*, verbose: bool, **chosen: object) -> None:
        telling.commands = verbose
        function(**chosen)

    parameters = [*signature.parameters.values(), told]
    # Typer reads the options of a verb from its signature.
    vars(run)["__signature__"] = signature.replace(parameters=parameters)
    app.command()(run)
    return function


class Stopped(BaseException):
    """Somebody asked us to stop: an exception, so that every `finally` runs."""


def _stop(*_: int | FrameType | None) -> None:
    raise Stopped


def main() -> None:
    """Run a verb; what the user can mend is one line, and what is our bug a traceback."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        app()
    except KitError as error:
        say(f"error: {error}", style="bold red")
        sys.exit(error.exit_code)
    except Stopped:
        say("stopped; nothing is half done, and the same command goes on from here", style="bold")
        sys.exit(130)
