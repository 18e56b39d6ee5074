"""`images/<tag>/image.lock`: which bytes the image has to be, committed beside the other locks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.errors import KitError
from scripts.locks.lock import difference
from scripts.places import IMAGES
from scripts.ui import say, warn

IMAGE_LOCK = "image.lock"
CONFIG = "config"


def digests(config_digest: str, inspected: Mapping[str, Any]) -> dict[str, str]:
    """Return what is locked of an image: its identity, and what explains a change of it.

    Args:
        config_digest: the image's identity.
        inspected: what `docker image inspect` says of it.
    """
    config = inspected["Config"]
    diff_ids = inspected["RootFS"]["Layers"]
    env = dict(pair.split("=", 1) for pair in config.get("Env") or [])
    labels = config.get("Labels") or {}
    return {
        CONFIG: config_digest,
        **{f"layer.{number}": diff_id for number, diff_id in enumerate(diff_ids, 1)},
        **{f"env.{name}": env[name] for name in sorted(env)},
        **{f"label.{name}": labels[name] for name in sorted(labels)},
    }


def write(tag: str, found: Mapping[str, str], folder: Path = IMAGES) -> Path:
    """Write the lock of an image; return its path."""
    path = folder / tag / IMAGE_LOCK
    rows = "".join(f"{name} {value}\n" for name, value in found.items())
    path.write_text(
        f"# Made by `make lock-image IMAGE={tag}` from the image itself; do not edit.\n"
        "# The config digest is the image's identity; the rest says what moved when it moves.\n"
        f"{rows}"
    )
    return path


def read(tag: str, folder: Path = IMAGES) -> dict[str, str]:
    """Read the lock of an image; nothing if there is none.

    Raises:
        KitError: a line is not of the form that `write` writes.
    """
    path = folder / tag / IMAGE_LOCK
    if not path.exists():
        return {}
    found = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.startswith("#"):
            name, separator, value = line.partition(" ")
            if not separator:
                raise KitError(f"{path}:{number}: not `name value`; `make lock-image` writes it")
            found[name] = value
    if not found.get(CONFIG, "").startswith("sha256:"):
        raise KitError(f"{path}: names no config digest; `make lock-image` writes it")
    return found


def check(tag: str, found: Mapping[str, str], *, release: bool, folder: Path = IMAGES) -> bool:
    """Say whether an image is the one that is locked, or what moved.

    Args:
        tag: which image.
        found: its digests.
        release: whether another image than the locked one is an error.
        folder: the folder of the images' folders.

    Returns:
        Whether it is the locked one.

    Raises:
        KitError: it is not, and `release` is set.
    """
    locked = read(tag, folder)
    path = f"images/{tag}/{IMAGE_LOCK}"
    if locked == found:
        say(f"{tag} matches {path}")
        return True
    if locked:
        moved = [line for line in difference(locked, found) if not line.startswith(f"{CONFIG}:")]
        sentence = f"{tag} is not what {path} names: {'; '.join(moved)}"
    else:
        sentence = f"there is no {path}"
    sentence += f"; if that is meant, `make lock-image IMAGE={tag}` writes it"
    if release:
        raise KitError(sentence)
    warn(sentence)
    return False
