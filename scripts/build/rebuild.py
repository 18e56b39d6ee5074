"""`make rebuild-check`: build an image again from nothing but its locks, compare every byte."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scripts.build import build, record
from scripts.build.bake import bake
from scripts.build.image_diff import Difference, differences
from scripts.engine import image_store
from scripts.engine.engine import Engine
from scripts.errors import KitError
from scripts.matrix import Chosen
from scripts.oci import Layout
from scripts.places import data_folder, require_disk, scratch
from scripts.processes import start
from scripts.ui import say, stage

# The rebuilt image and an export of the existing one, uncompressed, beside what a build needs.
DISK_GB = 5.0
SHOWN = 40
WIDTH = 160


def check(chosen: Chosen, host: Engine) -> bool:
    """Rebuild an image into a folder, without any cache but the verified downloads, and compare.

    Args:
        chosen: which image; it has to be in the engine.
        host: that engine.

    Returns:
        Whether it is the same image: the same config digest, and with it every layer.

    Raises:
        KitError: there is no such image in the engine, or the rebuild fails.
    """
    tag = chosen.tag
    with scratch() as work:
        require_disk(work, DISK_GB, f"rebuilding {tag}")
        ready = build.prepare(chosen, host, new_rootfs=work / "rootfs")
        name = ready.names[0]
        existing = image_store.named(host, name)
        if existing is None:
            raise KitError(f"{name} is not in the engine; `make image IMAGE={tag}` builds it")
        bake(host, ready.builder, ready.target, into=work / "again")
        again = Layout(work / "again")
        expected = record.config_digest(host, existing)
        if expected == again.config_digest:
            say(f"{name}: rebuilt bit for bit, {expected}", style="bold green")
            remember(expected)
            return True
        say(f"{name} is {expected}, rebuilt it is {again.config_digest}", style="bold red")
        with stage(f"exporting {name} to compare it"):
            image = image_store.export(host, existing, work / "image")
        found = list(differences(image, again))
        show(found)
        _show_contents(found, image, again, work)
        return False


def is_known(config_digest: str) -> bool:
    """Tell whether this data root has rebuilt exactly this image before."""
    return _record(config_digest).exists()


def remember(config_digest: str) -> None:
    """Take down that an image came out the same when it was built again."""
    _record(config_digest).touch()


def _record(config_digest: str) -> Path:
    return data_folder("rebuilt") / config_digest.removeprefix("sha256:")


def show(found: Sequence[Difference]) -> None:
    """Print differences as a table, the first of them if they are many."""
    out = Console()
    if not out.is_terminal:
        out.width = WIDTH
    table = Table("layer", "path", "attribute", "is", "rebuilt")
    for one in found[:SHOWN]:
        layer = str(one.layer) if one.layer else "config"
        table.add_row(layer, one.path, one.attribute, one.one, one.other)
    out.print(table)
    if len(found) > SHOWN:
        out.print(f"... and {len(found) - SHOWN} more")


def _show_contents(found: Sequence[Difference], image: Layout, again: Layout, work: Path) -> None:
    """Let diffoscope, where it is installed, show the first file whose content differs."""
    contents = [one for one in found if one.attribute == "content"]
    if not contents:
        return
    diffoscope = shutil.which("diffoscope")
    if diffoscope is None:
        say("install diffoscope to see how the content of a file differs")
        return
    first = contents[0]
    pair = []
    for number, layout in enumerate((image, again)):
        target = work / f"content-{number}" / Path(first.path).name
        target.parent.mkdir()
        blob = layout.blob(layout.manifest["layers"][first.layer - 1]["digest"])
        with tarfile.open(blob) as tar:
            member = tar.extractfile(first.path)
            target.write_bytes(member.read() if member else b"")
        pair.append(target)
    with start([diffoscope, "--max-report-size=20000", *pair]):
        pass
