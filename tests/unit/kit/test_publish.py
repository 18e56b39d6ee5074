"""What is not published, and why; how layers are compressed; how a registry learns who we are."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts import matrix
from scripts.build import build, rebuild, record
from scripts.build.bake import Digests
from scripts.engine import image_store
from scripts.engine.engine import Engine
from scripts.errors import KitError
from scripts.matrix import Chosen
from scripts.publish import publish
from scripts.registry import compression, push
from scripts.registry.compression import COMPRESSIONS, MEDIA_TYPES, Compression, compress, unpacked
from tests.unit.kit.test_image_diff import FILES, layout

CONFIG = f"sha256:{'a' * 64}"


def test_without_a_registry_there_is_nothing_to_publish_to(
    chosen: Chosen, no_engine: Engine
) -> None:
    with pytest.raises(KitError, match=r"no registry to publish to; name one in .*\.toml"):
        publish.publish(chosen, no_engine, "zstd")


def test_only_a_commit_is_published(tmp_path: Path) -> None:
    with pytest.raises(KitError, match="what is published has to be a commit: fatal: not a git"):
        publish.require_commit(tmp_path)
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    publish.require_commit(tmp_path)
    (tmp_path / "new").touch()
    with pytest.raises(KitError, match="1 files are not as they were committed, new among them"):
        publish.require_commit(tmp_path)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Chosen:
    """An image of a family with a registry, which is what its lock names."""
    monkeypatch.setenv("REGISTRY", "registry.example")
    made = build.Built(
        ("registry.example/org/tf-repro:2.15-cpu",), CONFIG, {}, build.Materials((), (), {}), CONFIG
    )
    monkeypatch.setattr(publish, "require_commit", lambda _: None)
    monkeypatch.setattr(build, "build", lambda *_, release: made if release else None)
    monkeypatch.setattr(push, "refuse_other_bytes", lambda *_: None)
    return matrix.load().named("2.15-cpu")


def test_what_cannot_be_rebuilt_is_not_published(
    published: Chosen, no_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "check", lambda *_: False)
    monkeypatch.setattr(push, "push", lambda *_, **__: pytest.fail("it was pushed"))
    with pytest.raises(KitError, match=r"2\.15-cpu is not published: rebuilt from its"):
        publish.publish(published, no_engine, "zstd")


def test_an_unknown_compression_is_refused() -> None:
    with pytest.raises(KitError, match="COMPRESSION=lz4: there are zstd and gzip"):
        compression.chosen("lz4")


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_layer_compresses_to_the_same_bytes_with_any_number_of_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compression: Compression
) -> None:
    content = b"".join(number.to_bytes(4, "little") for number in range(5_000_000))
    (tmp_path / "tar").write_bytes(content)
    made = []
    for processors in (1, 3):
        monkeypatch.setattr(os, "cpu_count", lambda n=processors: n)
        done: list[int] = []
        compress(tmp_path / "tar", tmp_path / "packed", compression, done.append)
        assert sum(done) == len(content)
        made.append((tmp_path / "packed").read_bytes())
    assert made[0] == made[1]
    assert len(made[0]) < len(content)
    with unpacked(io.BytesIO(made[0]), MEDIA_TYPES[compression]) as tar:
        assert tar.read() == content


def test_a_rebuild_that_differs_is_a_table_of_what_differs(
    chosen: Chosen,
    no_engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A layer, a path in it, which of its attributes, and both values."""
    image = layout(tmp_path / "image", FILES)
    changed = {**FILES, "usr/bin/x": FILES["usr/bin/x"] | {"mode": 0o700}}

    def bake(*_: object, into: Path) -> Digests:
        again = layout(tmp_path / "again", changed)
        again.folder.rename(into)
        return Digests("", "")

    ready = SimpleNamespace(builder="", target=None, names=("org/tf-repro:2.15-cpu",))
    monkeypatch.setattr(build, "prepare", lambda *_, **__: ready)
    monkeypatch.setattr(rebuild, "require_disk", lambda *_: None)
    monkeypatch.setattr(rebuild, "bake", bake)
    monkeypatch.setattr(image_store, "named", lambda *_: "the image's id")
    monkeypatch.setattr(record, "config_digest", lambda *_: image.config_digest)
    monkeypatch.setattr(image_store, "export", lambda *_: image)
    assert rebuild.check(chosen, no_engine) is False
    assert not rebuild.is_known(image.config_digest)
    rows = [line.split("│") for line in capsys.readouterr().out.splitlines() if "usr/bin/x" in line]
    assert [[cell.strip() for cell in row[1:-1]] for row in rows] == [
        ["1", "usr/bin/x", "mode", "0755", "0700"]
    ]

    # And the same bytes are remembered, so that publishing needs no second rebuild.
    changed = FILES
    shutil.rmtree(tmp_path / "again")
    assert rebuild.check(chosen, no_engine) is True
    assert rebuild.is_known(image.config_digest)
