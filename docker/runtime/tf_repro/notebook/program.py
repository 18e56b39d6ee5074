"""What a command runs: itself, or, where it is a notebook, the program that runs its cells."""

import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tf_repro.notebook import cells
from tf_repro.notebook.cells import NotebookError

ENDING = ".ipynb"
# What runs it, and the packages that it needs; with parameters, papermill runs it.
EXECUTE = "tf_repro.notebook.execute"
NEEDED = ("nbclient", "nbformat", "ipykernel")
PAPERMILL = "papermill"
KERNEL = "python3"  # ipykernel's own, of this interpreter


def is_notebook(command: Sequence[str]) -> bool:
    """Return whether a command is the name of a notebook."""
    return command[0].endswith(ENDING)


def argv(command: Sequence[str], *, keep: bool = True) -> "list[str]":
    """Return what is run for a command.

    Args:
        command: a program and its arguments; or a notebook, and papermill's options.
        keep: whether a notebook is to hold its outputs behind, in the folder where it is run.

    Raises:
        NotebookError: it is a notebook that cannot be run.
    """
    if not is_notebook(command):
        return list(command)
    notebook, *options = str(path(command)), *command[1:]
    cells.read(Path(notebook))
    _see_that_there_is(NEEDED, notebook)
    into = notebook if keep else os.devnull
    if not options:
        return [sys.executable, "-m", EXECUTE, notebook, into]
    _see_that_there_is((PAPERMILL,), notebook)
    folder = str(Path(notebook).parent)
    return [
        *(sys.executable, "-m", PAPERMILL, notebook, into, f"--cwd={folder}"),
        *(f"--kernel={KERNEL}", "--no-progress-bar", *options),
    ]


def path(command: Sequence[str]) -> Path:
    """Return where a notebook is in the working folder: each run has its own copy of that.

    Raises:
        NotebookError: it is elsewhere, where all runs would write over the user's own.
    """
    here = Path.cwd().resolve()
    # The file itself may be a link, of which a run gets a copy.
    folder, name = Path(command[0]).parent.resolve(), Path(command[0]).name
    if not folder.is_relative_to(here):
        raise NotebookError(f"{command[0]}: it is outside of the working folder; change into its")
    return (folder / name).relative_to(here)


def _see_that_there_is(packages: Sequence[str], notebook: str) -> None:
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        what = "papermill" if missing == [PAPERMILL] else "nbclient ipykernel"
        raise NotebookError(
            f"{notebook}: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not "
            f"installed here: pip install {what}"
        )


def notes(command: Sequence[str]) -> "list[str]":
    """Return what is to be said of a notebook before it runs, a line each."""
    if not is_notebook(command):
        return []
    words = cells.disorder(cells.read(path(command)))
    return [f"{command[0]} was last run out of order: {words}"] if words else []
