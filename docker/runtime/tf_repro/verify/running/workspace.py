"""A folder for one run: it sees the files of the working folder, and what it writes stays in it."""

import os
import shutil
from pathlib import Path

from tf_repro.notebook import program

# What a run may overwrite is copied, a notebook always; larger files are data sets, which are
# linked.
COPIED_BYTES = 16 << 20
LARGEST = 1 << 30  # bytes of all copies of one run
LEFT_OUT = {".git", "__pycache__", ".venv"}
# How the folders of runs and records begin, so that no run gets a copy of another one's: where the
# working folder is /tmp, they lie in it.
TEMPORARY = ".tf-repro-"

State = dict[str, "tuple[int, int]"]


class CannotCopyError(Exception):
    """The working folder cannot be given to a run; the message is one line for the user."""


def fill(source: Path, target: Path, records: Path) -> State:
    """Make `target` look like the folder `source`; return the state of its files.

    Args:
        source: the working folder.
        target: of one run.
        records: what no run may see, as it is not the same for the next one.

    Raises:
        CannotCopyError: a file cannot be read, or there is too much to copy for each run.
    """
    if source == Path(source.anchor):
        raise CannotCopyError(
            f"each run gets a copy of the working folder, which is {source}: change into the "
            "script's own first (docker run -w /work)"
        )
    copied = 0
    for folder, names, files in os.walk(source):
        here = target / Path(folder).relative_to(source)
        here.mkdir(parents=True, exist_ok=True)
        folders = [name for name in names if _is_seen(Path(folder, name), records)]
        names[:] = [name for name in folders if not Path(folder, name).is_symlink()]
        for name in set(folders) - set(names):
            aim = Path(folder, name).resolve()
            # What a run writes through a link within the folder stays in its copy.
            inside = aim.is_relative_to(source)
            (here / name).symlink_to(target / aim.relative_to(source) if inside else aim)
        for name in files:
            copied += _give(Path(folder, name), here / name)
            if copied > LARGEST:
                raise CannotCopyError(
                    f"{source}: each run gets a copy of the working folder, and there is more than "
                    f"{LARGEST >> 30} GiB: start in a folder with the script alone, and name its "
                    "data by their path"
                )
    return state(target)


def _is_seen(folder: Path, records: Path) -> bool:
    return not (folder.name in LEFT_OUT or folder.name.startswith(TEMPORARY) or folder == records)


def _give(original: Path, here: Path) -> int:
    """Copy a file or link to it; return the bytes that were copied."""
    try:
        size = original.stat().st_size if original.is_file() else None
        if size is not None and (size <= COPIED_BYTES or original.name.endswith(program.ENDING)):
            shutil.copy2(original, here)
            return size
        here.symlink_to(original.resolve())
    except OSError as error:
        raise CannotCopyError(
            f"{original}: {error.strerror}; each run gets a copy of the working folder"
        ) from error
    return 0


def state(folder: Path) -> State:
    """Return size and time of every file below `folder`, by its path."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and not LEFT_OUT & set(path.relative_to(folder).parts):
            status = path.stat()
            found[str(path.relative_to(folder))] = status.st_size, status.st_mtime_ns
    return found


def written(folder: Path, before: State) -> list[str]:
    """Return the files that are new or changed since `before`, sorted."""
    return sorted(name for name, value in state(folder).items() if before.get(name) != value)
