"""What the family publishes of an image in `images/<tag>`: its packages, and the bits it gives.

The packages stand in its locks. What its golden trainings end with stands in golden.json, which
`make golden` writes: the first result of a training is the published one, and a further one is what
some processor gave instead.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tf_repro import committed
from tf_repro.verify.running.run import CannotRunError

VERSION = 1
GOLDEN = "golden.json"
TRAININGS = ("digits",)
# How golden.json begins to say what made it; it tells the file from a passport of that name.
_MADE_BY = "make golden"
# Locks of an image, and what one of their lines says: a package and its version.
_LOCKS = (
    ("deb", "debs.lock", re.compile(r"^([^#\s]+) (\S+) ", re.MULTILINE)),
    ("wheel", "requirements.lock", re.compile(r"^([^#\s=]+)==(\S+)", re.MULTILINE)),
)


@dataclass(frozen=True)
class Result:
    """What a training ended with.

    Attributes:
        weights: the SHA-256 of the saved weights.
        loss: its last one.
        seen: the processors that gave it, each with the day.
    """

    weights: str
    loss: float
    seen: Sequence[str]


@dataclass(frozen=True)
class Published:
    """An image, as its folder or its golden.json tells.

    Attributes:
        name: what the user calls it.
        packages: the version of each, by kind and name, as in `wheel keras`.
        trainings: what each ended with; none where no bits are published.
    """

    name: str
    packages: "dict[str, str]"
    trainings: "dict[str, list[Result]]"


def is_published(path: Path) -> bool:
    """Tell whether it is an image's folder, or a golden.json, by whatever name."""
    if path.is_dir():
        return any((path / name).exists() for name in (GOLDEN, *(lock for _, lock, _ in _LOCKS)))
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and str(found.get("made_by", "")).startswith(_MADE_BY)


def read(path: Path) -> Published:
    """Read what is published of an image.

    Args:
        path: its folder, or its golden.json, beside which its locks may stand.

    Raises:
        CannotRunError: a file cannot be read, or golden.json is none or of another version.
    """
    golden, folder = (path / GOLDEN, path) if path.is_dir() else (path, path.parent)
    trainings = _trainings(golden) if golden.exists() or golden is path else {}
    packages = {}
    for kind, name, line in _LOCKS:
        lock = folder / name
        if lock.exists():
            for package, version in line.findall(_text(lock)):
                packages[f"{kind} {package}"] = version
    return Published(str(path), packages, trainings)


def _text(path: Path) -> str:
    try:
        return committed.text_of(path)
    except (OSError, ValueError) as error:
        raise CannotRunError(f"{path}: it cannot be read ({error})") from error


def _trainings(path: Path) -> "dict[str, list[Result]]":
    try:
        found = json.loads(committed.text_of(path))
        version = found["version"]
        if version == VERSION:
            return {name: _results(name, found[name]) for name in TRAININGS}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise CannotRunError(f"{path}: not what `make golden` writes ({error})") from error
    raise CannotRunError(f"{path}: version {version}; this tf-repro reads {VERSION}")


def _results(name: str, found: "list[dict[str, Any]]") -> "list[Result]":
    if not found:
        raise ValueError(f"no result of {name}")
    return [
        Result(
            str(one["weights"]),
            float(one["loss"]),
            [f"{each['processor']}, {each['on']}" for each in one["seen"]],
        )
        for one in found
    ]
