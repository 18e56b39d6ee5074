"""A folder for one run: it sees the files of the working folder, and what it writes stays in it."""

import os
import shutil
from pathlib import Path

# What a run may overwrite is copied; larger files are data sets, which are linked.
COPIED_BYTES = 16 << 20
LEFT_OUT = {".git", "__pycache__", ".venv"}

State = dict[str, "tuple[int, int]"]


def fill(source: Path, target: Path) -> State:
    """Make `target` look like the folder `source`; return the state of its files."""
    for folder, names, files in os.walk(source):
        names[:] = [name for name in names if name not in LEFT_OUT]
        here = target / Path(folder).relative_to(source)
        here.mkdir(parents=True, exist_ok=True)
        for name in files:
            original = Path(folder, name)
            if original.is_file() and original.stat().st_size <= COPIED_BYTES:
                shutil.copy2(original, here / name)
            else:
                (here / name).symlink_to(original)
    return state(target)


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
