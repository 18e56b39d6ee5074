"""Files are compared by what they say, and what does not count is named."""

import io
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.unit.runtime.verify.made_up import run
from tf_repro.verify.comparing import files


def npz(value: float, day: int) -> bytes:
    array = io.BytesIO()
    np.save(array, np.array([value]))
    return zipped({"a.npy": array.getvalue()}, day)


def npy(value: float) -> bytes:
    array = io.BytesIO()
    np.save(array, np.array([value]))
    return array.getvalue()


def checkpoint(time: float, name: str) -> bytes:
    text = f'model_checkpoint_path: "{name}"\nall_model_checkpoint_timestamps: {time}\n'
    return (text + f"last_preserved_timestamp: {time}\n").encode()


def zipped(members: dict[str, bytes], day: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, day, 0, 0, 0)), content)
    return buffer.getvalue()


def h5(value: float, compression: str | None = None) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_dataset("dense/kernel", data=np.full(1000, value), compression=compression)
        file.attrs["backend"] = "tensorflow"
    return buffer.getvalue()


def keras(value: float, day: int) -> bytes:
    config = {"name": "m", "layers": [{"class_name": "Dense", "shared_object_id": 140000 + day}]}
    metadata = {"keras_version": "3", "date_saved": f"2026-01-{day}"}
    members = {
        "config.json": json.dumps(config).encode(),
        "metadata.json": json.dumps(metadata).encode(),
        "model.weights.h5": h5(value),
    }
    return zipped(members, day)


EQUAL = {
    "a.npz": (npz(1, 1), npz(1, 2)),
    "a.keras": (keras(1, 1), keras(1, 2)),
    "a.h5": (h5(1), h5(1, compression="gzip")),
    "a.json": (b'{"a": 1, "b": 2}', b'{"b":2,"a":1}'),
    "a.csv": (b"1,2\n", b"1,2\r\n"),
    "a/checkpoint": (checkpoint(1, "ckpt-1"), checkpoint(2, "ckpt-1")),
}
DIFFERENT = {
    "a.npz": (npz(1, 1), npz(2, 1), "a.npy"),
    "a.keras": (keras(1, 1), keras(2, 1), "model.weights.h5:dense/kernel"),
    "a.h5": (h5(1), h5(2), "dense/kernel"),
    "a.json": (b'{"a": 1, "b": 2}', b'{"a": 1, "b": 3}', "b"),
    "a.csv": (b"1,2\n5\n", b"1,2\n6\n", "line 2"),
    "a.txt": (b"1,2\n", b"1,3\n", "4 and 4 bytes, not the same"),
    "a.npy": (npy(1), npy(2), "values"),
    "checkpoint": (checkpoint(1, "ckpt-1"), checkpoint(1, "ckpt-2"), "model_checkpoint_path"),
    "b.npz": (b"nonsense", npz(1, 1), "unreadable"),
}


def compared(tmp_path: Path, name: str, one: bytes, other: bytes) -> files.Compared:
    runs = run(tmp_path / "1", files={name: one}), run(tmp_path / "2", files={name: other})
    (found,) = files.compare(*runs)
    return found


@pytest.mark.parametrize("name", EQUAL)
def test_equal_in_content(tmp_path: Path, name: str) -> None:
    one, other = EQUAL[name]
    assert one != other
    found = compared(tmp_path, name, one, other)
    assert found.differing == ()
    assert found.ignored


@pytest.mark.parametrize("name", DIFFERENT)
def test_different_in_content(tmp_path: Path, name: str) -> None:
    one, other, expected = DIFFERENT[name]
    found = compared(tmp_path, name, one, other)
    assert any(expected in part for part in found.differing)


def test_a_file_of_one_run_alone(tmp_path: Path) -> None:
    one, other = run(tmp_path / "1", files={"a": b""}), run(tmp_path / "2")
    assert files.compare(one, other)[0].differing == ("only the first run wrote it",)


def test_the_state_beside_a_checkpoint_is_no_result(tmp_path: Path) -> None:
    """It has the digest of a file that may hold its date."""
    found = compared(tmp_path, "model.keras.tf_repro.json", b"1", b"2")
    assert (found.differing, found.ignored) == ((), ("what a training would go on from",))


def test_event_files_are_paired_without_their_time_and_host(tmp_path: Path) -> None:
    one = run(tmp_path / "1", files={"logs/events.out.tfevents.17.host-a.1.0.v2": b"x"})
    other = run(tmp_path / "2", files={"logs/events.out.tfevents.18.host-b.7.0.v2": b"x"})
    (found,) = files.compare(one, other)
    assert (found.name, found.differing) == ("logs/events.out.tfevents.*", ())
