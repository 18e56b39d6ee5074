"""Run the cells of a notebook from top to bottom in a fresh kernel, and keep their outputs in it.

nbclient does so, with which `jupyter nbconvert --execute` and papermill run cells, too. A cell that
fails is one line on stderr.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from tf_repro.notebook import cells, program

FAILED = 1
# How long a kernel may take to end, with what a script does at its exit; Jupyter gives it five
# seconds and then kills it, with the records that it has not written.
# https://jupyter-client.readthedocs.io/en/stable/api/jupyter_client.html
END_SECONDS = 60.0


def main(path: Path, into: Path) -> int:
    """Run a notebook in its own folder, as Jupyter does; return the exit status.

    Args:
        path: of the notebook.
        into: where it is written with its outputs.
    """
    notebook = nbformat.read(path, as_version=cells.FORMAT)
    resources = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(notebook, timeout=None, kernel_name=program.KERNEL, resources=resources)
    client.create_kernel_manager()
    assert client.km  # it is made now
    client.km.shutdown_wait_time = END_SECONDS
    try:
        client.execute()
    except (CellExecutionError, DeadKernelError) as error:
        dead = isinstance(error, DeadKernelError)
        words = "the kernel died" if dead else f"{error.ename}: {error.evalue}"
        found = cells.cells(notebook)
        # A cell has its count once the kernel has told that it ran it to its end.
        at = sum(cell.count is not None for cell in found) - (not dead)
        where = f"cell {found[min(at, len(found) - 1)].label}"
        sys.stderr.write(f"{path}: {where}: {' '.join(words.split())}\n")
        return FAILED
    finally:
        nbformat.write(notebook, into)
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
