"""Where things are: the checkout, and the one folder outside it in which the kit keeps its data."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from scripts.errors import KitError
from scripts.ui import say

REPO = Path(__file__).resolve().parent.parent
IMAGES = REPO / "images"
# The folders in the data root.
KEPT = (
    *("apt-lists", "built", "contexts", "debs", "engine", "layers", "logs"),
    *("mmdebstrap-*", "qemu", "rebuilt", "rootfs", "tmp", "wheels"),
)


def data_root() -> Path:
    """Return the folder for downloads, root file systems and the private engine.

    It is TF_REPRO_DATA, else `tf-repro` in the user's cache folder (XDG_CACHE_HOME). All of it can
    be deleted while no build runs and `make engine-stop` was called; the next build makes it anew.
    """
    if chosen := os.environ.get("TF_REPRO_DATA"):
        return Path(chosen).resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tf-repro"


def data_identity() -> str:
    """Return what tells this data root from those of other machines, which may have its path.

    Only for a caller that holds it (`exclusive`).
    """
    file = data_folder(".") / "identity"
    if not file.exists():
        file.write_text(uuid.uuid4().hex)
    return f"{data_root()} {file.read_text()}"


def data_folder(name: str) -> Path:
    """Return `data_root()/name`, made if it was not there.

    Raises:
        KitError: the folder cannot be made (no permission, no disk).
    """
    folder = data_root() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KitError(
            f"{folder}: {error.strerror}; set TF_REPRO_DATA to a folder that you can write to"
        ) from error
    return folder


def delete_data() -> None:
    """Delete what the kit keeps in its data root, and nothing else that may be in that folder."""
    for pattern in KEPT:
        for path in data_root().glob(pattern):
            shutil.rmtree(path)


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a temporary folder beside the kit's data (so that a rename into it is atomic).

    It is locked while it is in use. What a killed run left there is locked no more, and removed by
    the next one: see `exclusive`.
    """
    with ExitStack() as stack:
        with locked(data_folder("tmp")) as parent:  # nobody sweeps between these two
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=parent)))
            stack.enter_context(locked(folder))
        yield folder


@contextmanager
def locked(folder: Path, *, wait: bool = True) -> Iterator[Path]:
    """Wait until no other process is in here with the same folder, and keep them out.

    The kernel drops the lock with the process, however that ends.

    Raises:
        BlockingIOError: another has it, and we are not to wait.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
    finally:
        os.close(descriptor)


@contextmanager
def exclusive() -> Iterator[None]:
    """Let one kit process at a time change the data root; a second one says so and waits.

    The kernel drops the lock with the process, however that ends, so nothing has to be cleaned up
    by hand. Whoever gets it sweeps what a killed run left half done.
    """
    with (data_folder(".") / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another build uses {data_root()}: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        _sweep()
        yield


def _sweep() -> None:
    """Remove the temporary folders of runs that were killed."""
    with locked(data_folder("tmp")) as parent:
        for folder in parent.iterdir():
            with suppress(BlockingIOError), locked(folder, wait=False):
                shutil.rmtree(folder, ignore_errors=True)


def require_disk(folder: Path, gigabytes: float, purpose: str) -> None:
    """Raise KitError unless the disk of `folder` has room for `gigabytes` (1 GB = 1e9 bytes)."""
    free = shutil.disk_usage(folder).free / 1e9
    if free < gigabytes:
        raise KitError(
            f"{folder}: {purpose} needs {gigabytes:.1f} GB of free disk and {free:.1f} GB are "
            "there; free some, or use a folder on a larger disk (TF_REPRO_DATA, or the engine's "
            "data-root)"
        )
