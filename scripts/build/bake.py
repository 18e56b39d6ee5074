"""Running `docker buildx bake` and showing what it does."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from scripts.engine.image_store import BUILT_IN, load
from scripts.errors import KitError
from scripts.places import data_folder, scratch
from scripts.processes import start
from scripts.ui import Steps

if TYPE_CHECKING:
    from scripts.build.bake_file import Target
    from scripts.engine.engine import Engine

KEPT_LINES = 200


@dataclass(frozen=True)
class Digests:
    """An image by content: `config` is its identity, `manifest` is what engines show."""

    config: str
    manifest: str


def bake(host: Engine, builder: str, target: Target, *, into: Path | None = None) -> Digests:
    """Build `target` into the engine's store, without a name, when every step has succeeded.

    Args:
        host: the engine.
        builder: which of its builders.
        target: what to build.
        into: build every step anew, and into this folder as an OCI layout, not into the store.

    Raises:
        KitError: a step failed; the line says which and the last that it said.
    """
    log = data_folder("logs") / f"{target.tag}.log"
    with scratch() as work:
        archive = work / "image.tar"
        output = _output(builder, archive, into)
        definition = {"target": {"image": target.bake | {"output": [output]}}}
        (work / "bake.json").write_text(json.dumps(definition))
        argv = [
            *(*host.buildx, "bake", "--progress=rawjson", f"--builder={builder}"),
            *(f"--allow=fs.read={folder}" for folder in target.contexts),
            *(f"--metadata-file={work / 'metadata'}", f"--file={work / 'bake.json'}", "image"),
            *(("--no-cache",) if into else ()),
            f"--allow=fs.write={into or work}",
        ]
        env = {**os.environ, **host.env, "SOURCE_DATE_EPOCH": str(target.epoch)}
        with (
            start(argv, env=env, stderr=subprocess.PIPE, text=True) as buildx,
            log.open("w") as file_log,
        ):
            assert buildx.stderr
            last = follow(buildx.stderr, file_log)
        if buildx.returncode:
            raise KitError(f"building {target.tag} failed: {last}; the whole log is in {log}")
        made = json.loads((work / "metadata").read_text())["image"]
        if archive.exists():
            load(host, archive)
    return Digests(made["containerimage.config.digest"], made["containerimage.digest"])


def _output(builder: str, archive: Path, into: Path | None) -> str:
    """Return the exporter and its options.

    Any other builder than the engine's own, on this machine or elsewhere, sends an archive, and the
    engine loads that. Layers stay uncompressed: that is several times faster, and compression is no
    part of the image's identity. https://docs.docker.com/build/exporters/image-registry/
    """
    kind = "image" if builder == BUILT_IN else f"docker,dest={archive}"
    if into:
        kind = f"oci,tar=false,dest={into}"
    return f"type={kind},compression=uncompressed,force-compression=true"


def follow(lines: Iterable[str], log: IO[str]) -> str:
    """Show the build's steps as they come; return what explains a failure best."""
    tail: deque[str] = deque(maxlen=KEPT_LINES)
    failed = ""
    with Steps() as steps:
        for line in lines:
            try:
                status = json.loads(line)
            except json.JSONDecodeError:
                # What buildx says of itself is no JSON.
                tail.append(line.strip())
                log.write(line)
                continue
            for vertex in status.get("vertexes", []):
                steps.update(
                    vertex["digest"], vertex["name"], vertex.get("started"), vertex.get("completed")
                )
                failed = vertex.get("error") or failed
            for part in status.get("statuses", []):
                steps.amount(part["vertex"], part.get("current", 0), part.get("total", 0))
            for entry in status.get("logs", []):
                text = base64.b64decode(entry["data"]).decode(errors="replace")
                log.write(text)
                tail.extend(one.strip() for one in text.splitlines() if one.strip())
    spoken = [one for one in tail if "error" in one.lower()]
    return (spoken or [failed] if failed else list(tail)[-1:] or ["no reason given"])[-1]
