"""Which source an image is made of."""

from __future__ import annotations

import hashlib
from pathlib import Path


def revision(folder: Path) -> str:
    """Return git's own id of a folder as it lies there: that of a tree object, 40 hex digits.

    Not a commit: the image must be the same bytes before and after it is committed, rebased or
    exported from git. `git log --find-object=<id>` names the commits that brought it in.
    https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
    """
    return _tree(folder).hex()


def _tree(folder: Path) -> bytes:
    entries = []
    for path in folder.iterdir():
        name = path.name.encode()
        if path.is_dir():
            # Git keeps no empty folder, and sorts a folder as if its name ended with a slash.
            tree = _tree(path)
            if path.name != "__pycache__" and tree != EMPTY:
                entries.append((name + b"/", b"40000 " + name + b"\0" + tree))
        else:
            mode = b"100755 " if path.stat().st_mode & 0o100 else b"100644 "
            entries.append((name, mode + name + b"\0" + _object(b"blob", path.read_bytes())))
    return _object(b"tree", b"".join(entry for _, entry in sorted(entries)))


def _object(kind: bytes, content: bytes) -> bytes:
    header = kind + b" %d\0" % len(content)
    return hashlib.sha1(header + content, usedforsecurity=False).digest()


EMPTY = _object(b"tree", b"")
