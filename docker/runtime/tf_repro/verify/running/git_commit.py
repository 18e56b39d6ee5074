"""The commit that a working folder is at, with git or without: the image has none."""

import subprocess
from pathlib import Path

_DESCRIBE = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]


def of(folder: Path) -> str:
    """Return the commit, with -dirty if files have changed since; empty where there is none.

    Without git nobody can tell whether files have changed, and the commit says "-unchecked".
    """
    try:
        done = subprocess.run(_DESCRIBE, cwd=folder, capture_output=True, text=True, check=False)
    except OSError:
        return _read(folder)
    return done.stdout.strip() if done.returncode == 0 else _read(folder)


def _read(folder: Path) -> str:
    """Read the commit out of the repository's files.

    https://git-scm.com/docs/gitrepository-layout
    """
    home = next(
        (one / ".git" for one in (folder, *folder.parents) if (one / ".git").is_dir()), None
    )
    try:
        if home is None:
            return ""
        head = (home / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return f"{head}-unchecked"
        name = head.removeprefix("ref: ")
        if (home / name).exists():
            return f"{(home / name).read_text().strip()}-unchecked"
        packed = (home / "packed-refs").read_text().splitlines()
        return next(f"{line.split()[0]}-unchecked" for line in packed if line.endswith(f" {name}"))
    except (OSError, StopIteration):
        return ""
