"""The cache of downloads: a file in it is used only if it is the one that a lock names."""

from __future__ import annotations

from pathlib import Path

from scripts.digests import sha256
from scripts.errors import KitError


def holds(path: Path, expected: str) -> bool:
    """Tell whether the cache has `path`, with the content of this SHA-256.

    Raises:
        KitError: it has the file with another content; that is never mended in silence.
    """
    if not path.exists():
        return False
    if (found := sha256(path)) != expected:
        raise KitError(
            f"{path}: expected sha256 {expected}, found {found}: not the file that the lock names; "
            "delete it to have it downloaded again"
        )
    return True
