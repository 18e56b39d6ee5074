"""A second engine on this machine, which has never had an image, and what its containers are told.

It stands for another machine. Where that is to be a machine that chooses otherwise, or one with
another processor, a program in place of runc makes its containers so.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.engine import dockerd, private_engine
from scripts.places import exclusive
from tests.image import emulated as emulation
from tests.image import other_runc


@contextmanager
def second_engine(
    folder: Path, *, told: str = "", emulated: str = "", containerd_store: bool = True
) -> Iterator[dockerd.Private]:
    """Start an engine, and end it with all that it has.

    Args:
        folder: a new one, for what it keeps.
        told: a variable and its value, as `TF_ENABLE_ONEDNN_OPTS=0`, for all its containers.
        emulated: QEMU's name of the processor that Python is on in all its containers.
        containerd_store: whether it keeps images in containerd's store, or in the classic one.
    """
    folder.mkdir()
    root, files = folder / "root", engine_files()
    if told or emulated:
        # Resolved, as cp would make a link to a link to the folder, and what is written below it
        # would be written into the engine that is running.
        subprocess.run(["cp", "--recursive", "--symbolic-link", files.resolve(), root], check=True)
        env = dict([told.split("=")]) if told else {}
        mounts = emulation.mounts(emulated, folder) if emulated else {}
        other_runc.put_in_place(root / "usr/sbin/runc", env, mounts)
    else:
        root.symlink_to(files)
    # The path of a socket ends at 107 characters.
    with tempfile.TemporaryDirectory(prefix="far") as short:
        socket = Path(short) / "docker.sock"
        second = dockerd.Private(folder, socket, containerd_store, own_network=True)
        dockerd.start(second)
        try:
            yield second
        finally:
            assert dockerd.stop(second)
            assert second.pid() is None
            # Gigabytes, which pytest would keep for three runs.
            shutil.rmtree(folder)


def engine_files() -> Path:
    """Return the unpacked packages of an engine, which are had first, if need be."""
    with exclusive():
        private_engine.unpack(dockerd.private().files)
    return dockerd.private().files


def address(of: dockerd.Private) -> str:
    """Return what DOCKER_HOST would be."""
    return f"unix://{of.socket}"
