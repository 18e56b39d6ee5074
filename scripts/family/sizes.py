"""What an image takes on disk and shares with others, and what a plain installation would take."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.build.build import Built
from scripts.engine.engine import Engine
from scripts.errors import KitError
from scripts.locks.lock import REQUIREMENTS_LOCK
from scripts.locks.wheels import cached, obtain, read_lock
from scripts.matrix import Chosen, Matrix
from scripts.places import IMAGES, require_disk, scratch
from scripts.processes import run
from scripts.ui import say, stage

SIZES = IMAGES / "sizes.json"
# A plain installation of the largest stack, the wheels that only it has, and some air.
PLAIN_GB = 10.0


@dataclass(frozen=True)
class Size:
    """Bytes on disk, unpacked.

    Attributes:
        image: of all layers.
        plain: of the root file system, and of what pip would install beside it: the same versions,
            untrimmed, with every wheel that TensorFlow's own requirements ask for.
        layers: their diff ids, up to TensorFlow's own; the runtime's, which is small, comes after
            them. A registry and a machine store equal layers once.
    """

    image: int
    plain: int
    layers: tuple[str, ...]

    @property
    def saved(self) -> float:
        """The part of a plain installation that the image does without."""
        return 1 - self.image / self.plain


def measure(chosen: Chosen, host: Engine, built: Built) -> Size:
    """Measure an image that is there, and install the plain one beside it for comparison.

    Raises:
        KitError: a wheel cannot be had, or the disk has no room for the installation.
    """
    made = host.client.images.get(built.name)
    # The newest comes first, and so the last with a size is the root file system.
    sizes = [int(layer["Size"]) for layer in made.history() if layer["Size"]]
    tag = chosen.tag
    locked = read_lock(IMAGES / tag / REQUIREMENTS_LOCK)
    obtain(locked, chosen.base)
    with scratch() as work, stage(f"{tag}: installing the same, untrimmed, to compare"):
        require_disk(work, PLAIN_GB, f"a plain installation of {tag}")
        wanted = [*(str(cached(wheel)) for wheel in locked), *chosen.left_out]
        _install(wanted, work / "site", work / "uv")
        plain = sizes[-1] + on_disk(work / "site")
    size = Size(sum(sizes), plain, tuple(made.attrs["RootFS"]["Layers"][:-1]))
    say(f"{tag}: {size.image / 1e9:.2f} GB, plain {size.plain / 1e9:.2f} GB, {size.saved:.0%} less")
    return size


def _install(requirements: list[str], folder: Path, cache: Path) -> None:
    """Install as pip does, compiled to .pyc; `cache` is uv's, on the same disk for hard links."""
    run(
        [
            *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps"),
            *("--target", folder, "--cache-dir", cache, "--compile-bytecode"),
            *("--no-config", "--python", sys.executable, "--", *requirements),
        ],
        error=f"uv cannot install {len(requirements)} packages into {folder}",
    )


def on_disk(folder: Path) -> int:
    """Return the bytes of a folder's files, in whole blocks, each hard link once."""
    seen = {}
    for path in (folder, *folder.rglob("*")):
        status = path.lstat()
        seen[status.st_ino] = status.st_blocks * 512
    return sum(seen.values())


def read(path: Path = SIZES) -> dict[str, Size]:
    """Read what was measured, by the image's tag; KitError if it is not of that form."""
    try:
        rows = json.loads(path.read_text()).items()
        return {tag: Size(row["image"], row["plain"], tuple(row["layers"])) for tag, row in rows}
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise KitError(f"{path}: {error}; `make sizes` writes it") from error


def write(found: dict[str, Size], matrix: Matrix, path: Path = SIZES) -> None:
    """Add measurements to those that were there; the images come in the matrix's order."""
    known = {**(read(path) if path.exists() else {}), **found}
    rows = {tag: asdict(known[tag]) for tag in matrix.image if tag in known}
    path.write_text(json.dumps(rows, indent=1) + "\n")
