"""What an image is made of decides its inputs digest, its revision and its root file system."""

import json
import subprocess
from pathlib import Path

import pytest

from scripts import git_tree, oci
from scripts.build import bake_file
from scripts.locks.wheels import Wheel, cached
from scripts.matrix import Chosen

EPOCH = 1_793_491_200


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    path = tmp_path / "rootfs.tar"
    path.write_bytes(b"not really a tar")
    return path


@pytest.fixture
def root(tmp_path: Path, layer: Path) -> oci.Layout:
    return oci.write_layout(tmp_path / "layout", layer=layer, epoch=EPOCH, made_by="a test")


@pytest.fixture
def locked() -> list[Wheel]:
    wheel = Wheel("numpy", "1.26.4", "0" * 64, "numpy-1.26.4-py3-none-any.whl", 1)
    cached(wheel).write_bytes(b"x")
    return [wheel]


def test_a_layout_names_its_layer_by_content(root: oci.Layout) -> None:
    (layer,) = root.manifest["layers"]
    assert root.config["rootfs"]["diff_ids"] == [layer["digest"]]
    assert root.blob(layer["digest"]).read_bytes() == b"not really a tar"
    assert root.config["created"] == "2026-11-01T00:00:00Z"


def test_a_layout_of_the_same_bytes_is_the_same(tmp_path: Path, root: oci.Layout) -> None:
    again = tmp_path / "again.tar"
    again.write_bytes(b"not really a tar")
    other = oci.write_layout(tmp_path / "other", layer=again, epoch=EPOCH, made_by="a test")
    assert other.manifest_digest == root.manifest_digest


def test_equal_inputs_have_equal_digests_and_others_do_not(
    chosen: Chosen, root: oci.Layout, locked: list[Wheel]
) -> None:
    one = bake_file.make(chosen, root, locked, (), {})
    assert bake_file.make(chosen, root, locked, (), {}).inputs == one.inputs
    drifted = bake_file.make(chosen, root, locked, ("tar 1 -> 2",), {})
    assert drifted.inputs != one.inputs
    documents = {"sbom": b"x"}
    assert bake_file.make(chosen, root, locked, (), documents).inputs != one.inputs
    cached(locked[0]).write_bytes(b"y")
    assert bake_file.make(chosen, root, locked, (), {}).inputs != one.inputs


def test_what_the_image_says_of_itself_is_a_context_of_its_own(
    chosen: Chosen, root: oci.Layout, locked: list[Wheel]
) -> None:
    """In another one, every layer that sees that one would be built again with each change."""
    made = bake_file.make(chosen, root, locked, (), {"sbom": b"x"})
    contexts = made.bake["contexts"]
    assert isinstance(contexts, dict)
    assert [path.name for path in Path(contexts["share"]).iterdir()] == ["sbom"]
    assert not list(Path(contexts["locked"]).rglob("sbom"))


def test_only_a_drifted_image_says_so(
    chosen: Chosen, root: oci.Layout, locked: list[Wheel]
) -> None:
    plain = bake_file.make(chosen, root, locked, (), {})
    drifted = bake_file.make(chosen, root, locked, ("tar 1 -> 2",), {})
    assert "tf-repro.drift" not in json.dumps(plain.bake)
    assert '"tf-repro.drift": "tar 1 -> 2"' in json.dumps(drifted.bake)


def test_the_revision_is_gits_own_id_of_the_folder(tmp_path: Path) -> None:
    files = {
        "Dockerfile": "FROM x",
        "bin/run": "#!/bin/sh",
        "bin.d/a": "1",
        "bin0": "",
        "x/y/z": "2",
    }
    for name, content in files.items():
        (tmp_path / "docker" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "docker" / name).write_text(content)
    (tmp_path / "docker/bin/run").chmod(0o700)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    expected = git(tmp_path, "write-tree", "--prefix=docker/")
    # What git does not keep changes nothing.
    (tmp_path / "docker/bin/__pycache__").mkdir()
    (tmp_path / "docker/bin/__pycache__/x.pyc").write_text("")
    (tmp_path / "docker/empty").mkdir()
    assert git_tree.revision(tmp_path / "docker") == expected

    (tmp_path / "docker/bin/run").chmod(0o600)
    assert git_tree.revision(tmp_path / "docker") != expected


def git(there: Path, *argv: str) -> str:
    done = subprocess.run(["git", *argv], cwd=there, check=True, capture_output=True, text=True)
    return done.stdout.strip()
