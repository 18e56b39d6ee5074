"""A second engine on this machine, which has never had an image, and what its containers are told.

It stands for another machine. Where that is to be a machine that chooses otherwise, a program in
place of runc puts a variable into the environment of each container that it makes.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.engine import engine, private_engine
from scripts.places import exclusive

# dockerd's runtime is handed `create --bundle <folder>`, with the container's config.json in it.
RUNC = """#!/usr/bin/env python3
import json, os, pathlib, sys
if "create" in sys.argv:
    path = pathlib.Path(sys.argv[sys.argv.index("--bundle") + 1]) / "config.json"
    config = json.loads(path.read_text())
    kept = [one for one in config["process"]["env"] if not one.startswith({name!r} + "=")]
    config["process"]["env"] = [*kept, {name!r} + "=" + {value!r}]
    path.write_text(json.dumps(config))
os.execv({runc!r}, [{runc!r}, *sys.argv[1:]])
"""


@contextmanager
def second_engine(
    folder: Path, *, told: str = "", containerd_store: bool = True
) -> Iterator[engine.Private]:
    """Start an engine, and end it with all that it has.

    Args:
        folder: a new one, for what it keeps.
        told: a variable and its value, as `TF_ENABLE_ONEDNN_OPTS=0`, for all its containers.
        containerd_store: whether it keeps images in containerd's store, or in the classic one.
    """
    folder.mkdir()
    root, files = folder / "root", engine_files()
    if told:
        subprocess.run(["cp", "--recursive", "--symbolic-link", files, root], check=True)
        _stand_for_runc(root / "usr/sbin/runc", *told.split("="))
    else:
        root.symlink_to(files)
    # The path of a socket ends at 107 characters.
    with tempfile.TemporaryDirectory(prefix="far") as short:
        socket = Path(short) / "docker.sock"
        second = engine.Private(folder, socket, containerd_store, own_network=True)
        engine.start(second)
        try:
            yield second
        finally:
            assert engine.stop(second)
            assert second.pid() is None
            # Gigabytes, which pytest would keep for three runs.
            shutil.rmtree(folder)


def engine_files() -> Path:
    """Return the unpacked packages of an engine, which are had first, if need be."""
    with exclusive():
        private_engine.unpack(engine.private().files)
    return engine.private().files


def _stand_for_runc(program: Path, name: str, value: str) -> None:
    runc = str(program.resolve()) if program.exists() else shutil.which("runc")
    assert runc, "neither the engine's packages nor this machine have one"
    program.unlink(missing_ok=True)
    program.write_text(RUNC.format(name=name, value=value, runc=runc))
    program.chmod(0o755)


def address(of: engine.Private) -> str:
    """Return what DOCKER_HOST would be."""
    return f"unix://{of.socket}"
