"""The file by which TensorFlow computes as on one processor: read out of wheels and libraries."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pydantic_core._pydantic_core
import pytest

from scripts.build.one_processor import answers, document, pools, table
from scripts.build.one_processor.library import Library, NoCodeError
from scripts.errors import KitError
from scripts.locks.wheels import Wheel
from scripts.places import data_folder


def test_a_compiled_library_is_read_by_its_own_tables() -> None:
    """One that the kit depends on, and that asks CPUID for what it can use."""
    path = Path(pydantic_core._pydantic_core.__file__)
    with Library(path) as library:
        made = table.of(library)
        assert made["jumps"]
        for jump in made["jumps"]:
            start, end = library.function(jump["at"])
            assert start <= jump["at"] < end
            assert b"\x0f\xa2" in bytes.fromhex(jump["over"])
        assert library.symbol("PyInit__pydantic_core")
        assert library.symbol("nobody") is None


def test_what_is_no_library_is_said(tmp_path: Path) -> None:
    path = tmp_path / "libtensorflow_cc.so.2"
    path.write_bytes(b"<html>")
    with pytest.raises(NoCodeError, match="no library"):
        Library(path)


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], Wheel]:
    """Return a function that puts a wheel of TensorFlow with such libraries into the cache."""

    def put(library: bytes) -> Wheel:
        path = tmp_path / "tensorflow_cpu-9.9-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as packed:
            for name in document.LIBRARIES:
                packed.writestr(f"tensorflow/{name}", library)
        monkeypatch.setattr(document, "cached", lambda _: path)
        for name in ("CONSTRUCTOR", "SCHEDULE", "CPUS"):
            monkeypatch.setattr(pools, name, "PyInit__pydantic_core")
        monkeypatch.setitem(document.NEEDED, "is oneDNN", lambda _: True)
        return Wheel("tensorflow-cpu", "9.9", hashlib.sha256(library).hexdigest(), path.name, 1)

    return put


def test_the_file_of_an_image_is_made_once_and_is_the_same_each_time(
    wheel: Callable[[bytes], Wheel], monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = [wheel(Path(pydantic_core._pydantic_core.__file__).read_bytes())]
    first = document.made(locked)
    read = json.loads(first)
    assert (read["tensorflow"], tuple(read["caches"])) == ("9.9", answers.CACHES)
    assert all(read["libraries"][name]["jumps"] for name in document.LIBRARIES)
    (kept,) = data_folder("processor").iterdir()
    kept.unlink()
    assert document.made(locked) == first
    monkeypatch.setattr(document, "cached", lambda _: pytest.fail("it is there already"))
    assert document.made(locked) == first


def test_a_wheel_that_cannot_be_mended_is_one_line_and_leaves_nothing(
    wheel: Callable[[bytes], Wheel],
) -> None:
    locked = [wheel(b"<html>")]
    with pytest.raises(
        KitError, match=r"9\.9-py3-none-any.whl: libtensorflow_cc.so.2: .*no library"
    ):
        document.made(locked)
    assert list(data_folder("processor").iterdir()) == []


def test_a_wheel_that_lacks_what_is_to_be_mended_is_one_line(
    wheel: Callable[[bytes], Wheel], monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = [wheel(Path(pydantic_core._pydantic_core.__file__).read_bytes())]
    monkeypatch.setattr(pools, "CONSTRUCTOR", "another")
    monkeypatch.setitem(document.NEEDED, "is oneDNN", lambda _: None)
    line = r"9\.9-py3-none-any.whl: no library of it makes pools of threads or is oneDNN$"
    with pytest.raises(KitError, match=line):
        document.made(locked)
