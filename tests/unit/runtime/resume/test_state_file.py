"""The state beside a checkpoint is whole or not there, and belongs to that checkpoint alone."""

import json
import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tf_repro.resume import state_file

STATE = {"seed": 42, "parts": {"global": {"random": [3, "AAAA", None]}}}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Iterator[str]:
    """Return the prefix of a checkpoint."""
    (tmp_path / "ckpt-1.index").write_bytes(b"checksums")
    yield str(tmp_path / "ckpt-1")
    state_file.wait_for_the_disk()


def write(checkpoint: str, state: "dict[str, Any] | None" = None) -> Path:
    state_file.write(checkpoint, state_file.digest_of(checkpoint), state or STATE)
    return state_file.beside(checkpoint)


def test_what_is_written_is_read(checkpoint: str) -> None:
    path = write(checkpoint)
    assert path.name == "ckpt-1.tf_repro.json"
    assert state_file.read(checkpoint) == STATE
    assert not list(path.parent.glob(".*")), "what it was written to first is still there"


def test_there_is_none_of_a_checkpoint_that_was_saved_without_us(checkpoint: str) -> None:
    assert state_file.read(checkpoint) is None


def test_numbers_may_be_keys(checkpoint: str) -> None:
    write(checkpoint, {"kept": {7: 1}})
    assert state_file.read(checkpoint) == {"kept": {"7": 1}}


@pytest.mark.parametrize("size", [0, 1, 40, 100])
def test_a_state_that_is_cut_is_refused(checkpoint: str, size: int) -> None:
    path = write(checkpoint)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(state_file.RefusedError, match="cut"):
        state_file.read(checkpoint)


def test_a_state_that_was_changed_is_refused(checkpoint: str) -> None:
    path = write(checkpoint)
    whole = json.loads(path.read_text())
    whole["states"][0]["state"]["seed"] = 7
    path.write_text(json.dumps(whole))
    with pytest.raises(state_file.RefusedError, match="changed"):
        state_file.read(checkpoint)


@pytest.mark.parametrize(
    "text",
    ['{"version": 1, "states": []}', "[]", "{}", '{"version": 3, "states": [3]}', "[" * 9999],
)
def test_what_is_no_state_of_this_version_is_refused(checkpoint: str, text: str) -> None:
    write(checkpoint).write_text(text)
    with pytest.raises(state_file.RefusedError, match="it is"):
        state_file.read(checkpoint)


def test_a_state_of_another_checkpoint_is_refused(checkpoint: str) -> None:
    write(checkpoint)
    Path(f"{checkpoint}.index").write_bytes(b"others")
    with pytest.raises(state_file.RefusedError, match="another checkpoint"):
        state_file.read(checkpoint)


def test_a_state_is_found_that_stayed_behind_its_checkpoint(checkpoint: str) -> None:
    write(checkpoint)
    renamed = f"{checkpoint}-best"
    Path(f"{checkpoint}.index").rename(f"{renamed}.index")
    assert state_file.read(renamed) == STATE


def test_the_state_before_is_good_until_the_checkpoint_is_written_over(tmp_path: Path) -> None:
    model = tmp_path / "model.keras"
    model.write_bytes(b"old")
    write(str(model), {"epoch": 1})
    (tmp_path / "new").write_bytes(b"new")
    state_file.write(str(model), state_file.digest_of(str(tmp_path / "new")), {"epoch": 2})
    assert state_file.read(str(model)) == {"epoch": 1}
    (tmp_path / "new").replace(model)
    assert state_file.read(str(model)) == {"epoch": 2}


def test_a_state_that_is_too_large_is_not_written(checkpoint: str) -> None:
    path = write(checkpoint)
    before = path.read_bytes()
    with pytest.raises(state_file.RefusedError, match="bytes"):
        write(checkpoint, {"data": "x" * state_file.LARGEST})
    assert path.read_bytes() == before
    path.write_bytes(b" " * (state_file.LARGEST + 1))
    with pytest.raises(state_file.RefusedError, match="more than"):
        state_file.read(checkpoint)


def test_a_write_that_fails_leaves_the_old_state(
    checkpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(checkpoint)
    before = path.read_bytes()

    def no_space(self: Path, _: bytes) -> None:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", no_space)
    with pytest.raises(OSError, match="No space"):
        write(checkpoint, {"epoch": 2})
    assert path.read_bytes() == before
    assert not list(path.parent.glob(".*"))


def test_what_is_written_is_kept_beside_the_training(
    checkpoint: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The disk is asked for the file and for its name, and a disk that fails costs a line."""
    kept: list[bool] = []

    def fsync(descriptor: int) -> None:
        kept.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        if len(kept) > 2:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fsync)
    for expected in (2, 3):
        path = write(checkpoint)
        state_file.wait_for_the_disk()
        assert len(kept) == expected
    assert kept[:2] == [False, True]
    assert f"{path}: Input/output error: it may be lost" in capfd.readouterr().err


def test_a_forked_child_does_not_wait_for_a_thread_of_its_parent(
    checkpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its copy of the lock is never released."""
    go_on = threading.Event()
    monkeypatch.setattr(os, "fsync", lambda _: go_on.wait(20))
    write(checkpoint)
    begun = time.monotonic()
    if (child := os.fork()) == 0:
        state_file.wait_for_the_disk()
        os._exit(0)
    os.waitpid(child, 0)
    took = time.monotonic() - begun
    go_on.set()
    state_file.wait_for_the_disk()
    assert took < state_file.PATIENCE / 2


def test_a_byte_anywhere_in_a_large_file_counts_where_it_is_looked_at(tmp_path: Path) -> None:
    large = tmp_path / "large.h5"
    large.write_bytes(bytes(9 << 20))
    before = state_file.digest_of(str(large))
    for place in (0, (9 << 20) - 1):
        data = bytearray(9 << 20)
        data[place] = 1
        large.write_bytes(data)
        assert state_file.digest_of(str(large)) != before
    large.write_bytes(bytes((9 << 20) + 1))
    assert state_file.digest_of(str(large)) != before
