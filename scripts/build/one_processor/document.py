"""The file by which an image's TensorFlow computes as on one processor."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from scripts.build.one_processor import answers, onednn, pools, table
from scripts.build.one_processor.library import Library, NoCodeError
from scripts.build.one_processor.sites import CannotMendError
from scripts.errors import KitError
from scripts.locks.wheels import Wheel, cached
from scripts.places import data_folder, scratch
from scripts.ui import stage

FOLDER = "/opt/tf-repro/share"
NAME = "processor.json"
# What TensorFlow computes with; its other libraries call these.
LIBRARIES = ("libtensorflow_cc.so.2", "libtensorflow_framework.so.2")
# What one of them does, and where; the others may not.
NEEDED: dict[str, Callable[[Library], object]] = {
    "makes pools of threads": pools.entry,
    "is oneDNN": onednn.asked,
}
# The wheels that they come in.
TENSORFLOW = ("tensorflow", "tensorflow-cpu")


def made(locked: Sequence[Wheel]) -> bytes:
    """Return the content of the file for an image of these wheels, made now or kept from before.

    It takes about twenty seconds a release to read 250 MB of code.

    Raises:
        KitError: this release has an instruction that we cannot mend.
    """
    wheel = next(one for one in locked if one.name in TENSORFLOW)
    kept = data_folder("processor") / f"{_key(wheel)}.json"
    if not kept.exists():
        with stage(f"looking for what follows the processor in TensorFlow {wheel.version}"):
            content = json.dumps(_document(wheel), indent=1)
        with scratch() as folder:
            (folder / NAME).write_text(content + "\n")
            (folder / NAME).rename(kept)
    return kept.read_bytes()


def _key(wheel: Wheel) -> str:
    """Return under which name the file of a wheel is kept: by the wheel, and by what made it."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    parts = [wheel.sha256.encode(), *(source.read_bytes() for source in sources)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _document(wheel: Wheel) -> dict[str, object]:
    return {
        "tensorflow": wheel.version,
        "caches": answers.CACHES,
        "libraries": _tables(wheel),
    }


def _tables(wheel: Wheel) -> dict[str, table.Table]:
    with zipfile.ZipFile(cached(wheel)) as packed, scratch() as folder:
        tables, missing = {}, dict(NEEDED)
        for library in LIBRARIES:
            path = Path(packed.extract(f"tensorflow/{library}", folder))
            try:
                with Library(path) as opened:
                    tables[library] = table.of(opened)
                    missing = {what: find for what, find in missing.items() if not find(opened)}
            except (CannotMendError, NoCodeError) as error:
                raise KitError(f"{wheel.file_name}: {library}: {error}") from error
    if missing:
        raise KitError(f"{wheel.file_name}: no library of it {' or '.join(missing)}")
    return tables
