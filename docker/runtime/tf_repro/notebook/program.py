"""What a command runs: itself, or, where it is a notebook, the program that runs its cells."""

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from tf_repro.notebook import cells
from tf_repro.notebook.cells import NotebookError

ENDING = ".ipynb"
# What runs it, and the packages that it needs.
EXECUTE = "tf_repro.notebook.execute"
NEEDED = ("nbclient", "nbformat", "ipykernel")


def is_notebook(command: Sequence[str]) -> bool:
    """Return whether a command is the name of a notebook."""
    return command[0].endswith(ENDING)


def argv(command: Sequence[str]) -> "list[str]":
    """Return what is run for a command.

    Raises:
        NotebookError: it is a notebook that cannot be run.
    """
    if not is_notebook(command):
        return list(command)
    notebook, *rest = command
    cells.read(Path(notebook))
    if rest:
        raise NotebookError(
            f"{notebook} takes no arguments, and got {rest[0]}: give it parameters by papermill, "
            f"as in -- papermill {notebook} {notebook} -p name value"
        )
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise NotebookError(
            f"{notebook}: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not "
            "installed here: pip install nbclient ipykernel"
        )
    return [sys.executable, "-m", EXECUTE, notebook]


def notes(command: Sequence[str]) -> "list[str]":
    """Return what is to be said of a notebook before it runs, a line each."""
    if not is_notebook(command):
        return []
    words = cells.disorder(cells.read(Path(command[0])))
    return [f"{command[0]} was last run out of order: {words}"] if words else []
