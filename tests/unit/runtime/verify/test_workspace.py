"""Each run sees the working folder as it is, and cannot change it."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from tf_repro.verify.running import workspace


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A working folder with a script, data below it, and data that are linked from elsewhere."""
    folder, elsewhere = tmp_path / "work", tmp_path / "elsewhere"
    for made in (folder / "data", folder / ".git", elsewhere):
        made.mkdir(parents=True)
    (folder / "train.py").write_text("pass")
    (folder / "data" / "x.npy").write_text("x")
    (folder / ".git" / "HEAD").write_text("main")
    (elsewhere / "y.npy").write_text("y")
    (folder / "more").symlink_to(elsewhere)
    (folder / "y.npy").symlink_to("more/y.npy")
    (folder / "gone").symlink_to("nowhere")
    (folder / "latest").symlink_to("data")
    return folder


def test_a_run_sees_all_of_it(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "run"
    before = workspace.fill(source, target, tmp_path)
    assert (target / "data/x.npy").read_text() == "x"
    assert (target / "more/y.npy").read_text() == (target / "y.npy").read_text() == "y"
    assert (target / "gone").is_symlink()
    assert not (target / ".git").exists()
    (target / "latest/x.npy").write_text("changed")
    assert (source / "data/x.npy").read_text() == "x"
    assert workspace.written(target, before) == ["data/x.npy"]


def test_no_run_sees_records_or_other_runs(source: Path) -> None:
    records = source / "kept"
    for made in (records / "run-1", source / f"{workspace.TEMPORARY}abc", source / "tf-repro-mine"):
        made.mkdir(parents=True)
        (made / "file").write_text("")
    target = source / f"{workspace.TEMPORARY}xyz" / "work"
    workspace.fill(source, target, records)
    assert (target / "tf-repro-mine/file").exists()
    assert not (target / "kept").exists()
    assert not list(target.glob(f"{workspace.TEMPORARY}*"))


def test_large_files_are_linked(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "COPIED_BYTES", 3)
    workspace.fill(source, tmp_path / "run", tmp_path)
    assert (tmp_path / "run/train.py").readlink() == source / "train.py"
    assert not (tmp_path / "run/data/x.npy").is_symlink()


def test_a_notebook_is_run_in_place_and_so_always_copied(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "a.ipynb").write_text("more than nothing")
    monkeypatch.setattr(workspace, "COPIED_BYTES", 3)
    workspace.fill(source, tmp_path / "run", tmp_path / "records")
    assert not (tmp_path / "run" / "a.ipynb").is_symlink()


def test_what_cannot_be_copied_is_one_clear_line(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(workspace.CannotCopyError, match="working folder, which is /: change into"):
        workspace.fill(Path("/"), tmp_path / "root", tmp_path)

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(shutil, "copy2", refuse)
    with pytest.raises(workspace.CannotCopyError, match=r"\.\w+: Permission denied; each run"):
        workspace.fill(source, tmp_path / "unreadable", tmp_path)


def test_too_much_to_copy_is_said(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "LARGEST", 4)
    with pytest.raises(workspace.CannotCopyError, match="start in a folder with the script alone"):
        workspace.fill(source, tmp_path / "run", tmp_path)
