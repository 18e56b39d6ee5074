"""Two images are compared to the last attribute of the last file."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from scripts import oci
from scripts.build import rebuild
from scripts.build.image_diff import Difference, differences
from scripts.errors import KitError
from scripts.locks import image_lock

FILES: dict[str, dict[str, Any]] = {
    "etc/hosts": {"data": b"one"},
    "usr/bin/x": {"data": b"two", "mode": 0o755},
    "usr/lib": {"type": tarfile.DIRTYPE},
    "usr/link": {"type": tarfile.SYMTYPE, "linkname": "lib"},
}


def layout(folder: Path, files: dict[str, dict[str, Any]], epoch: int = 0) -> oci.Layout:
    folder.mkdir()
    with tarfile.open(folder / "layer.tar", "w") as tar:
        for name, attributes in files.items():
            data = attributes.get("data", b"")
            member = tarfile.TarInfo(name)
            member.size = len(data)
            for key in attributes.keys() - {"data"}:
                setattr(member, key, attributes[key])
            tar.addfile(member, io.BytesIO(data))
    return oci.write_layout(
        folder / "image", layer=folder / "layer.tar", epoch=epoch, made_by="test"
    )


def test_equal_images_have_no_difference(tmp_path: Path) -> None:
    one, other = layout(tmp_path / "1", FILES), layout(tmp_path / "2", FILES)
    assert one.config_digest == other.config_digest
    assert list(differences(one, other)) == []


@pytest.mark.parametrize(
    ("path", "change", "attribute", "is_now"),
    [
        ("etc/hosts", {"data": b"two"}, "content", None),
        ("etc/hosts", {"data": b"twelve"}, "size", "6"),
        ("etc/hosts", {"mtime": 7}, "mtime", "7"),
        ("usr/bin/x", {"mode": 0o700}, "mode", "0700"),
        ("usr/bin/x", {"uid": 3}, "owner", "3:0"),
        ("usr/link", {"linkname": "bin"}, "link", "bin"),
        ("usr/lib", {"type": tarfile.REGTYPE}, "type", "0"),
    ],
)
def test_a_changed_attribute_is_named(
    tmp_path: Path, path: str, change: dict[str, Any], attribute: str, is_now: str | None
) -> None:
    changed = {**FILES, path: FILES[path] | change}
    found = list(differences(layout(tmp_path / "1", FILES), layout(tmp_path / "2", changed)))
    (one,) = [one for one in found if (one.layer, one.path, one.attribute) == (1, path, attribute)]
    assert is_now is None or one.other == is_now
    assert {one.path for one in found if one.layer} == {path}


def test_a_missing_file_and_another_order_are_named(tmp_path: Path) -> None:
    without = {name: FILES[name] for name in list(FILES)[1:]}
    turned = dict(reversed(FILES.items()))
    whole = layout(tmp_path / "1", FILES)
    found = list(differences(whole, layout(tmp_path / "2", without)))
    assert Difference(1, "etc/hosts", "present", "True", "False") in found
    found = list(differences(whole, layout(tmp_path / "3", turned)))
    assert [one.attribute for one in found if one.layer] == ["order of files"]


def test_a_changed_configuration_is_named(tmp_path: Path) -> None:
    found = differences(layout(tmp_path / "1", FILES), layout(tmp_path / "2", FILES, epoch=1))
    assert {one.attribute for one in found} == {"created", "history.0.created"}


def test_many_differences_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    rebuild.show([Difference(1, f"file{n}", "mode", "1", "2") for n in range(50)])
    printed = capsys.readouterr().out
    assert "file39" in printed
    assert "file40" not in printed
    assert "... and 10 more" in printed


INSPECTED = {
    "Config": {"Env": ["B=2", "A=1"], "Labels": {"x": "y z"}},
    "RootFS": {"Layers": ["sha256:aa", "sha256:bb"]},
}


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    (tmp_path / "2.15-cpu").mkdir()
    image_lock.write("2.15-cpu", image_lock.digests("sha256:1", INSPECTED), tmp_path)
    return tmp_path


def test_an_image_lock_reads_as_it_was_written(locked: Path) -> None:
    assert image_lock.read("2.15-cpu", locked) == image_lock.digests("sha256:1", INSPECTED)
    assert image_lock.check(
        "2.15-cpu", image_lock.read("2.15-cpu", locked), release=True, folder=locked
    )


def test_what_moved_is_said(locked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    moved: dict[str, Any] = json.loads(
        json.dumps(INSPECTED).replace("bb", "cc").replace("A=1", "C=1")
    )
    found = image_lock.digests("sha256:2", moved)
    assert not image_lock.check("2.15-cpu", found, release=False, folder=locked)
    said = " ".join(capsys.readouterr().err.split())
    assert "layer.2: sha256:bb -> sha256:cc" in said
    assert "env.A: 1 -> (none)" in said
    with pytest.raises(KitError, match=r"is not what images/2\.15-cpu/image\.lock names"):
        image_lock.check("2.15-cpu", found, release=True, folder=locked)


def test_a_broken_image_lock_is_refused(locked: Path) -> None:
    path = locked / "2.15-cpu" / image_lock.IMAGE_LOCK
    path.write_text("config\n")
    with pytest.raises(KitError, match=r"image\.lock:1: not `name value`"):
        image_lock.read("2.15-cpu", locked)
    path.write_text("layer.1 sha256:x\n")
    with pytest.raises(KitError, match="names no config digest"):
        image_lock.read("2.15-cpu", locked)
