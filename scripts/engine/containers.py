"""One fresh container for one program: files in, output and files out, nothing left behind."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from scripts.errors import KitError
from scripts.places import data_root
from scripts.ui import say

if TYPE_CHECKING:
    from docker.models.containers import Container

    from docker import DockerClient

# Marks what the kit of one data root has started, so that what a killed run left can be found.
LABEL = "tf-repro.kit"


@dataclass(frozen=True)
class Finished:
    """How a program in a container ended; `files` holds what it left in the working folder."""

    exit_code: int
    stdout: str
    stderr: str
    seconds: float
    files: dict[str, bytes] = field(default_factory=dict)


def sweep(client: DockerClient, owner: str | None = None) -> int:
    """Remove the containers, networks and volumes that a killed run of this data root left.

    Args:
        client: the engine.
        owner: value of their label; by default this data root's path.

    Returns:
        How many containers they were.

    Only for a caller that holds the data root (`places.exclusive`): any such container is then
    nobody's.
    """
    ours = f"{LABEL}={owner or data_root()}"
    left = client.containers.list(all=True, filters={"label": ours})
    for container in left:
        container.remove(force=True)
    for network in client.networks.list(filters={"label": ours}):
        network.remove()
    for volume in client.volumes.list(filters={"label": ours}):
        volume.remove()
    if left:
        say(f"removed {len(left)} containers of a run that was killed")
    return len(left)


@contextmanager
def volume(client: DockerClient, owner: str | None = None) -> Iterator[str]:
    """Make a folder that containers can share, one after the other; yield its name."""
    made = client.volumes.create(labels={LABEL: owner or str(data_root())})
    try:
        yield str(made.name)
    finally:
        made.remove()


def run(
    client: DockerClient,
    image: str,
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    inputs: Sequence[Path] = (),
    outputs: Sequence[str] = (),
    folders: Mapping[str, Path] | None = None,
    on_line: Callable[[str], None] = lambda _: None,
    owner: str | None = None,
    settings: Mapping[str, object] | None = None,
) -> Finished:
    """Run a program in a fresh container and remove the container.

    It has no network, unless `settings` names one.

    Args:
        client: the engine.
        image: the image's name; it is never pulled.
        argv: the program and its arguments; it runs in /work.
        env: variables on top of the image's.
        inputs: files copied into /work (copied, not mounted: the engine may be elsewhere).
        outputs: files to bring back from /work; one that is not there is left out.
        folders: folders to bring back, by their path, each to a new folder here; the same.
        on_line: called with each line of stdout as it comes.
        owner: value of the container's label; by default this data root (see `sweep`).
        settings: anything else that the Docker SDK's `containers.create` takes.

    Raises:
        KitError: the image is not in the engine.
    """
    from docker.errors import ImageNotFound  # noqa: PLC0415 - half a second, and only where needed

    # Asked first: creating a container of a missing image would try to pull it.
    try:
        client.images.get(image)
    except ImageNotFound as error:
        raise KitError(f"{image} is not in the engine; `make image` builds it") from error
    chosen = {"working_dir": "/work", **(settings or {})}
    if "network" not in chosen:
        chosen.setdefault("network_mode", "none")
    with _created(client, image, argv, env or {}, owner, chosen) as container:
        if inputs:
            container.put_archive("/", _pack(inputs))
        started = time.monotonic()
        container.start()
        reader = threading.Thread(target=_each_line, args=(container, on_line), daemon=True)
        reader.start()
        exit_code = int(container.wait()["StatusCode"])
        seconds = time.monotonic() - started
        reader.join()
        for there, here in (folders or {}).items():
            _fetch_folder(container, there, here)
        return Finished(
            exit_code=exit_code,
            stdout=container.logs(stdout=True, stderr=False).decode(errors="replace"),
            stderr=container.logs(stdout=False, stderr=True).decode(errors="replace"),
            seconds=seconds,
            files=dict(_fetch(container, outputs)),
        )


@contextmanager
def _created(
    client: DockerClient,
    image: str,
    argv: Sequence[str],
    env: Mapping[str, str],
    owner: str | None,
    settings: Mapping[str, object],
) -> Iterator[Container]:
    container = client.containers.create(
        image,
        list(argv),
        environment=dict(env),
        labels={LABEL: owner or str(data_root())},
        **cast("dict[str, Any]", settings),
    )
    try:
        yield container
    finally:
        # Also when the start failed: the engine keeps such a container in the state "created".
        container.remove(force=True)


def _each_line(container: Container, on_line: Callable[[str], None]) -> None:
    buffer = b""
    for chunk in container.logs(stream=True, follow=True, stdout=True, stderr=False):
        *lines, buffer = (buffer + chunk).split(b"\n")
        for line in lines:
            on_line(line.decode(errors="replace"))


def _pack(files: Sequence[Path]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in files:
            tar.add(path, f"work/{path.name}", filter=_readable)
    return buffer.getvalue()


def _readable(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Give the file to whoever runs in the container, whatever the host's umask made of it."""
    member.mode |= 0o555 if member.isdir() else 0o444
    member.uid = member.gid = 0
    return member


def _fetch(container: Container, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    from docker.errors import NotFound  # noqa: PLC0415 - see `run`

    for name in names:
        try:
            chunks, _ = container.get_archive(f"/work/{name}")
        except NotFound:
            continue
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
            content = tar.extractfile(tar.next() or tarfile.TarInfo())
            yield name, content.read() if content else b""


def _fetch_folder(container: Container, there: str, here: Path) -> None:
    from docker.errors import NotFound  # noqa: PLC0415 - see `run`

    try:
        chunks, _ = container.get_archive(there)
    except NotFound:
        return
    with tempfile.TemporaryFile() as spool:
        for chunk in chunks:
            spool.write(chunk)
        spool.seek(0)
        with tarfile.open(fileobj=spool) as tar, tempfile.TemporaryDirectory() as unpacked:
            # What a program in a container left is not to be trusted with paths of this machine.
            tar.extractall(unpacked, filter="data")
            shutil.copytree(Path(unpacked) / Path(there).name, here)
