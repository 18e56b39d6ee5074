"""The file that is left beside a checkpoint: one JSON object, written whole or not at all.

It says which checkpoint it belongs to, and how to tell that nothing of it is missing or changed.
Nothing in it is code, and reading it runs none.
"""

import _thread
import atexit
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from tf_repro import messages

# The version goes up when a reader of the old one would misread the new one.
VERSION = 3
SUFFIX = ".tf_repro.json"
# The largest file that is written or read, in bytes.
LARGEST = 50_000
# Of a checkpoint that is larger, blocks are read at equal distances: a digest is to cost less than
# writing the checkpoint did.
_WHOLE, _BLOCK, _BLOCKS = 1 << 23, 1 << 14, 256
# Seconds that the end of a program waits for a disk.
PATIENCE = 10.0
_process = os.getpid()
# A lock for each state that the disk has been asked to keep, released when it does.
_unkept: "list[_thread.LockType]" = []


class RefusedError(Exception):
    """A state cannot be used; the text says why, in a few words."""


def beside(checkpoint: str) -> Path:
    """Return the file of the state of a checkpoint, which is a file, a prefix or a folder."""
    path = Path(checkpoint)
    return path / f"saved_model{SUFFIX}" if path.is_dir() else Path(f"{checkpoint}{SUFFIX}")


def digest_of(checkpoint: str) -> str:
    """Return the digest of a checkpoint.

    TensorFlow's has an index with a checksum of each tensor; of other files, the bytes count.
    https://github.com/tensorflow/tensorflow/blob/v2.15.1/tensorflow/core/protobuf/tensor_bundle.proto
    """
    index = Path(f"{checkpoint}.index")
    path = index if index.exists() else Path(checkpoint)
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size <= _WHOLE:
            digest.update(file.read())
        else:
            digest.update(str(size).encode())
            for number in range(_BLOCKS):
                file.seek((size - _BLOCK) * number // (_BLOCKS - 1))
                digest.update(file.read(_BLOCK))
    return digest.hexdigest()


def _text(state: dict[str, Any]) -> str:
    return json.dumps(state, separators=(",", ":"))


def _check(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def write(checkpoint: str, digest: str, state: dict[str, Any]) -> None:
    """Leave the state of a checkpoint beside it, whole or not at all.

    The one that was there before is kept as well: where a checkpoint is written over, it is good
    until the new one is in its place.

    Args:
        checkpoint: the file, prefix or folder.
        digest: of the checkpoint, which may not be in its place yet.
        state: what JSON can hold.

    Raises:
        RefusedError: it is larger than a state may be.
        OSError: it cannot be written.
    """
    path = beside(checkpoint)
    state = json.loads(json.dumps(state))  # as it will be read: with text for keys
    text = _text(state)
    entry = f'{{"digest":"{digest}","check":"{_check(text)}","state":{text}}}'
    before = [_text(one) for one in _states(path) if one.get("digest") != digest]
    for states in ([entry, *before[:1]], [entry]):
        whole = f'{{"version":{VERSION},"states":[{",".join(states)}]}}'
        if len(whole) <= LARGEST:
            break
    else:
        raise RefusedError(f"it would have {len(whole)} bytes")
    _write_whole(path, whole.encode())


def _write_whole(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.new")  # the next write takes the place of a rest
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _unkept[:] = [one for one in _unkept if one.locked()]
    _unkept.append(_thread.allocate_lock())
    _unkept[-1].acquire()
    # threading would wait until the thread runs, for milliseconds where the processors are busy.
    _thread.start_new_thread(_keep, (path, _unkept[-1]))


@atexit.register
def wait_for_the_disk() -> None:
    """Wait until the disk keeps what this process has written."""
    while _unkept and os.getpid() == _process:  # a forked child has none of the threads
        _unkept.pop().acquire(timeout=PATIENCE)


def _keep(path: Path, kept: "_thread.LockType") -> None:
    """Have the disk keep a file and its name, beside the training.

    A file system that orders its writes brings the checkpoint's own bytes to the disk first, which
    TensorFlow and Keras do not wait for, either. A kill loses nothing of what is written.
    """
    try:
        for each, flags in ((path, os.O_RDONLY), (path.parent, os.O_RDONLY | os.O_DIRECTORY)):
            descriptor = os.open(each, flags)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    except FileNotFoundError:
        return  # it is pruned by now
    except OSError as error:
        messages.warn(f"{path}: {error.strerror}: it may be lost if the power fails")
    finally:
        kept.release()


def _states(path: Path) -> list[dict[str, Any]]:
    try:
        return _parsed(path)
    except (OSError, RefusedError):
        return []


def _parsed(path: Path) -> list[dict[str, Any]]:
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise RefusedError(f"it has more than {LARGEST} bytes")
    try:
        whole = json.loads(data)
        version, states = whole["version"], whole["states"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise RefusedError("it is cut or no state") from None
    if version != VERSION:
        raise RefusedError(f"it is of version {version}, and this image reads {VERSION}")
    if not isinstance(states, list) or not all(isinstance(one, dict) for one in states):
        raise RefusedError("it is cut or no state")
    return states


def read(checkpoint: str) -> "dict[str, Any] | None":
    """Return the state of a checkpoint, or None where there is none.

    A checkpoint that was renamed without it finds its state by the digest.

    Raises:
        RefusedError: there is one, and it cannot be used.
    """
    path, digest = beside(checkpoint), digest_of(checkpoint)
    refused: RefusedError | None = None
    if path.exists():
        try:
            return _of_digest(_parsed(path), digest)
        except RefusedError as error:
            refused = error
    for other in sorted(path.parent.glob(f"*{SUFFIX}")):
        try:
            return _of_digest(_states(other), digest)
        except RefusedError:
            continue
    if refused is not None:
        raise refused
    return None


def _of_digest(states: list[dict[str, Any]], digest: str) -> dict[str, Any]:
    for one in states:
        if one.get("digest") == digest:
            state = one.get("state")
            if not isinstance(state, dict) or one.get("check") != _check(_text(state)):
                raise RefusedError("it has been changed")
            return state
    raise RefusedError("it belongs to another checkpoint")


def remove(checkpoint: str) -> None:
    """Remove the state of a checkpoint that is removed itself."""
    beside(checkpoint).unlink(missing_ok=True)
