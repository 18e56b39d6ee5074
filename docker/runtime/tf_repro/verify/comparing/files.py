"""The files that runs wrote, compared by content: what is no result does not count, and is named.

Pickles and most checkpoints are the same bytes in two equal runs. Zip files carry the time of their
members, `.keras` files a date and the addresses of objects, event files the time of every record.
"""

import hashlib
import io
import json
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tf_repro.resume import state_file
from tf_repro.verify.comparing import notebooks, tensorflow_files
from tf_repro.verify.reading.records import Run
from tf_repro.verify.running.run import FILES

# events.out.tfevents.<seconds>.<host>.<process>.<n>: a name of every run's own.
_EVENT_FILE = re.compile(r"events\.out\.tfevents\.\d+\.[^/]*")
_IGNORED_IN_KERAS = ("shared_object_id", "date_saved")

# Whose parts are told with what they are in both runs.
_IN_WORDS = (".ipynb",)
# The tensors of a checkpoint, beside the .index that says which they are.
_SHARD = re.compile(r"\.data-\d+-of-\d+$")

Parts = dict[str, str]
# Yields parts, and what is equal in both runs if they are.
Reader = Callable[[Path], Iterator[tuple[str, Any]]]


@dataclass(frozen=True)
class Compared:
    """One file of both runs.

    Attributes:
        differing: the parts of its content that differ; empty if it is equal.
        ignored: what differs and does not count.
    """

    name: str
    differing: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def compare(one: Run, other: Run) -> list[Compared]:
    """Compare every file that either run wrote, by the name that both would give it."""
    ours, theirs = _files(one), _files(other)
    found = []
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in ours or name not in theirs:
            which = "first" if name in ours else "second"
            found.append(Compared(name, (f"only the {which} run wrote it",)))
        else:
            found.append(_compare_file(name, ours[name], theirs[name]))
    return found


def _files(run: Run) -> dict[str, Path]:
    return {
        _EVENT_FILE.sub("events.out.tfevents.*", name): run.folder / FILES / name
        for name in run.ended.written
    }


def _compare_file(name: str, one: Path, other: Path) -> Compared:
    ours, theirs = one.read_bytes(), other.read_bytes()
    if ours == theirs:
        return Compared(name)
    if name.endswith(state_file.SUFFIX):
        # It has a digest of its checkpoint, and .keras files have their date.
        return Compared(name, (), ("what a training would go on from",))
    if _SHARD.search(name) and all(_index(path).exists() for path in (one, other)):
        return Compared(name, (), ("what its .index file tells",))
    reader, ignores = _reader(name)
    if reader is None:
        return Compared(name, (f"{len(ours)} and {len(theirs)} bytes, not the same",))
    try:
        a, b = dict(reader(one)), dict(reader(other))
    except Exception as error:  # noqa: BLE001  # a file that is not what its name says
        return Compared(name, (f"not the same bytes, and unreadable: {error}",))
    keys = [key for key in dict.fromkeys([*a, *b]) if a.get(key) != b.get(key)]
    in_words = name.endswith(_IN_WORDS)
    differing = tuple(
        f"{key}: {notebooks.words(a.get(key), b.get(key))}" if in_words else key for key in keys
    )
    return Compared(name, differing, () if differing else (ignores,))


def _reader(name: str) -> "tuple[Reader | None, str]":
    """Return what reads a file, and what it leaves out."""
    if "events.out.tfevents." in name:
        return _from_bytes(_events), "the time of each record"
    last = name.rpartition("/")[2]
    ending = f".{last.rpartition('.')[2].lower()}"
    return _READERS.get(last, _READERS.get(ending, (None, "")))


def _checkpoint(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield what TensorFlow knows of a folder of checkpoints: a text of names and times."""
    for number, line in enumerate(data.decode().splitlines()):
        key, _, value = line.partition(": ")
        if not key.endswith(("_timestamp", "_timestamps")):
            yield f"line {number + 1} ({key})", value


def _index(shard: Path) -> Path:
    return shard.with_name(_SHARD.sub(".index", shard.name))


def _nothing(_: Path) -> Iterator[tuple[str, str]]:
    """Yield nothing: the file has checksums of others, which are compared themselves."""
    yield from ()


def _from_bytes(read: Callable[[bytes], Iterator[tuple[str, Any]]]) -> Reader:
    return lambda path: read(path.read_bytes())


def _csv(data: bytes) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(data.decode().splitlines(), 1):
        yield f"line {number}", line


def _npy(data: bytes) -> Iterator[tuple[str, str]]:
    import numpy as np  # noqa: PLC0415  # only where such a file differs

    array = np.load(io.BytesIO(data), allow_pickle=False)
    yield "type and shape", f"{array.dtype} {array.shape}"
    yield "values", _digest(array.tobytes())


def _zip(data: bytes) -> Iterator[tuple[str, str]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in sorted(archive.namelist()):
            yield name, _digest(archive.read(name))


def _keras(data: bytes) -> Iterator[tuple[str, str]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in sorted(archive.namelist()):
            content = archive.read(name)
            if name.endswith(".json"):
                kept = _without(json.loads(content), _IGNORED_IN_KERAS)
                yield name, json.dumps(kept, sort_keys=True)
            elif name.endswith(".h5"):
                for part, digest in _h5(content):
                    yield f"{name}:{part}", digest
            else:
                yield name, _digest(content)


def _h5(data: bytes) -> Iterator[tuple[str, str]]:
    import h5py  # noqa: PLC0415  # the user's own, and only where such a file differs
    import numpy as np  # noqa: PLC0415  # as above

    found: Parts = {}

    def visit(name: str, item: Any) -> None:
        for key, value in item.attrs.items():
            found[f"{name}@{key}"] = repr(value)
        if hasattr(item, "dtype"):
            found[name] = f"{item.dtype} {item.shape} {_digest(np.asarray(item).tobytes())}"

    with h5py.File(io.BytesIO(data), "r") as file:
        visit("/", file)
        file.visititems(visit)
    yield from found.items()


def _json(data: bytes) -> Iterator[tuple[str, str]]:
    value = json.loads(data)
    if isinstance(value, dict):
        yield from ((str(key), json.dumps(inner, sort_keys=True)) for key, inner in value.items())
    else:
        yield "value", json.dumps(value, sort_keys=True)


def _events(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield what is in an event file: records of length, checksum, event, checksum.

    https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
    """
    from tensorflow.core.util import event_pb2  # noqa: PLC0415  # as in _h5

    at = number = 0
    while at + 12 <= len(data):
        (size,) = struct.unpack_from("<Q", data, at)
        event = event_pb2.Event.FromString(data[at + 12 : at + 12 + size])
        at += 12 + size + 4
        event.ClearField("wall_time")
        tags = ", ".join(value.tag for value in event.summary.value)
        yield f"record {number} (step {event.step}: {tags})", _digest(event.SerializeToString())
        number += 1


def _without(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {key: _without(inner, names) for key, inner in value.items() if key not in names}
    if isinstance(value, list):
        return [_without(inner, names) for inner in value]
    return value


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# A file's name, or its ending.
_READERS: "dict[str, tuple[Reader | None, str]]" = {
    "checkpoint": (_from_bytes(_checkpoint), "the time at which each was saved"),
    "fingerprint.pb": (_nothing, "checksums of the other files, and a random id"),
    "saved_model.pb": (tensorflow_files.saved_model, "the order of variables and functions"),
    ".index": (tensorflow_files.checkpoint, "the order of variables and the graph of objects"),
    ".keras": (_from_bytes(_keras), "the date, the members' times and the ids of objects"),
    ".npz": (_from_bytes(_zip), "the members' times"),
    ".zip": (_from_bytes(_zip), "the members' times"),
    ".h5": (_from_bytes(_h5), "the layout of the file"),
    ".hdf5": (_from_bytes(_h5), "the layout of the file"),
    ".json": (_from_bytes(_json), "the layout of the text"),
    ".ipynb": (_from_bytes(notebooks.read), notebooks.IGNORED),
    ".csv": (_from_bytes(_csv), "how lines end"),
    ".npy": (_from_bytes(_npy), "the layout of the file"),
}
