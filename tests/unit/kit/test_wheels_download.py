"""Wheels come from pip's index, and only with the bytes that the lock names."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import matrix
from scripts.digests import sha256
from scripts.errors import KitError
from scripts.locks import wheels

BASE = matrix.load().base["bookworm"]


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], wheels.Wheel]:
    """Return a function that puts a small real wheel into a package index of our own."""
    index = tmp_path / "index"
    index.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))

    def publish(name: str) -> wheels.Wheel:
        path = index / f"{name}-1.0-py3-none-any.whl"
        info = f"{name}-1.0.dist-info"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(f"{name}.py", "")
            wheel.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
            )
            wheel.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            wheel.writestr(f"{info}/RECORD", "")
        return wheels.Wheel(name, "1.0", sha256(path), path.name, path.stat().st_size)

    return publish


def test_a_locked_wheel_is_downloaded_once(
    publish: Callable[[str], wheels.Wheel], tmp_path: Path
) -> None:
    locked = [publish("one"), publish("two")]
    wheels.obtain(locked, BASE)
    assert [sha256(wheels.cached(wheel)) for wheel in locked] == [wheel.sha256 for wheel in locked]
    for served in (tmp_path / "index").iterdir():
        served.unlink()
    wheels.obtain(locked, BASE)


def test_an_index_that_serves_other_bytes_stops_the_build(
    publish: Callable[[str], wheels.Wheel], tmp_path: Path
) -> None:
    locked = publish("one")
    served = tmp_path / "index" / locked.file_name
    served.write_bytes(served.read_bytes()[:-1] + b"\1")
    with pytest.raises(KitError) as caught:
        wheels.obtain([locked], BASE)
    message = str(caught.value)
    assert message.startswith(f"{locked.file_name}: expected sha256 {locked.sha256}, found ")
    assert sha256(served) in message
    assert not wheels.cached(locked).exists()


def test_a_cached_wheel_with_one_byte_changed_stops_the_build(
    publish: Callable[[str], wheels.Wheel],
) -> None:
    locked = publish("one")
    wheels.obtain([locked], BASE)
    path = wheels.cached(locked)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(KitError) as caught:
        wheels.obtain([locked], BASE)
    assert str(caught.value).startswith(
        f"{path}: expected sha256 {locked.sha256}, found {sha256(path)}"
    )


def test_a_wheel_that_the_index_does_not_have_is_named(
    publish: Callable[[str], wheels.Wheel], tmp_path: Path
) -> None:
    locked = publish("one")
    (tmp_path / "index" / locked.file_name).unlink()
    with pytest.raises(KitError, match=r"the package index does not have one==1\.0"):
        wheels.obtain([locked], BASE)
