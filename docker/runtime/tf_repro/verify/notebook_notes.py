"""What is said of a notebook beside the comparison of its runs."""

from collections.abc import Sequence
from pathlib import Path

from tf_repro.messages import say
from tf_repro.notebook import cells, program
from tf_repro.notebook.cells import NotebookError
from tf_repro.verify.running.run import FILES, CannotRunError


def say_before(command: Sequence[str]) -> None:
    """Say what is to be said of a notebook before it runs; its record has it, too.

    Raises:
        CannotRunError: it is no notebook that can be run.
    """
    try:
        notes = program.notes(command)
    except NotebookError as error:
        raise CannotRunError(str(error)) from error
    for note in notes:
        say(note)


def after(command: Sequence[str], first: Path) -> "list[str]":
    """Tell whether a notebook holds what running it has given in the first run."""
    if not program.is_notebook(command) or len(command) > 1:
        return []  # with parameters of this run it gives something else
    ran = first / FILES / program.path(command)
    if not ran.exists():
        return []
    from tf_repro.verify.comparing import notebooks  # noqa: PLC0415  # for notebooks alone

    try:
        moved = notebooks.moved(cells.read(program.path(command)), ran.read_bytes())
    except (LookupError, TypeError, ValueError, AttributeError):
        return []  # what it holds is no output that Jupyter has written
    words = f"{command[0]} holds other outputs than running it from top to bottom gives"
    return [f"{words}, first in cell {moved}"] if moved else []
