"""Files that teams commit, and that git merges."""

from pathlib import Path

# How git marks what two branches have changed.
_CONFLICT = "\n<<<<<<< "


def text_of(path: Path) -> str:
    """Return the text of a file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no text, or has the conflicts of a merge in it; the message is for people.
    """
    text = path.read_text(encoding="utf-8")
    if _CONFLICT in f"\n{text}":
        raise ValueError("it has the conflicts of a merge in it; choose a side")
    return text
