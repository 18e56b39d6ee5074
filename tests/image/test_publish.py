"""`make publish` of a real image: refused, killed, run again, pulled by digest, built upon."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from docker import DockerClient
from scripts import matrix
from scripts.build import rebuild
from scripts.build.build import Built
from scripts.contents import sbom
from scripts.engine.engine import Engine
from scripts.locks.lock import DEBS_LOCK, NONE, versions
from scripts.places import IMAGES, REPO
from scripts.publish import changelog
from scripts.registry import compression, referrers
from scripts.registry.api import Manifest
from scripts.vouch import signing, vouch
from tests.image.conftest import DERIVED, Kit, commit
from tests.image.registries import Registry
from tests.image.test_broken import error_of

# One registry, and one image in it, which is published once.
pytestmark = pytest.mark.xdist_group("registry")

NAME = "org/published"
BILLS = (sbom.SPDX, sbom.CYCLONEDX)
# random.seed(42); random.random()
SEEDED = b"0.6394267984578837"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree as a commit of its own, whatever is not committed in ours."""
    there = tmp_path_factory.mktemp("publish") / "checkout"
    ignored = shutil.ignore_patterns(".venv", ".git", ".*_cache", "__pycache__")
    shutil.copytree(REPO, there, ignore=ignored)
    commit(there)
    return there


@pytest.fixture(scope="module")
def publish(checkout: Path, registry: Registry, client: DockerClient) -> Iterator[Kit]:
    """The kit in that checkout; what it tagged for the registry is removed in the end."""
    yield Kit(checkout)
    for image in client.images.list():
        for name in image.tags:
            if name.startswith(registry.host):
                client.images.remove(name, force=True)


@pytest.fixture
def env(registry: Registry) -> dict[str, str]:
    return {"REGISTRY": registry.host, "IMAGE_NAME": NAME}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private key to publish with."""
    path = tmp_path_factory.mktemp("keys") / "mine.pem"
    signing.make_key(path)
    return path


@pytest.fixture(scope="module")
def published(publish: Kit, registry: Registry, built: Built, key: Path) -> str:
    """Publish the image, killed in the middle and run again; return the manifest's digest."""
    env = {"REGISTRY": registry.host, "IMAGE_NAME": NAME}
    # test_rebuild builds it once more, and that is enough; what publishing makes of a rebuild that
    # differs is told by tests/unit/kit/test_publish.py.
    rebuild.remember(built.config_digest)
    process = publish.start("publish", **env)
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        # The largest layer is compressed, and on its way.
        if line.startswith("layer 3 of 4: zstd"):
            break
    assert process.poll() is None, said
    process.kill()
    process.wait()
    assert registry.tags(NAME) == set()

    status, said = publish("publish", f"--key={key}", **env)
    assert status == 0, said
    # It goes on from there: no layer goes twice.
    assert f"layer 1 of 4: {registry.host} has it" in said
    assert f"layer 2 of 4: {registry.host} has it" in said
    exact = f"2.15.1-cpu-{built.config_digest.removeprefix('sha256:')[:12]}"
    # This registry keeps no list of what is attached, so the client does, under a tag.
    tags = {tag for tag in registry.tags(NAME) if not tag.startswith("sha256-")}
    assert tags == {"2.15-cpu", "2.15.1-cpu", exact}
    digests = set()
    for tag in tags:
        manifest = registry.repository(NAME).manifest(tag)
        assert manifest
        assert manifest.json["config"]["digest"] == built.config_digest
        digests.add(manifest.digest)
    (digest,) = digests
    return digest


def test_what_is_pulled_by_digest_is_the_same_image(
    published: str, registry: Registry, built: Built
) -> None:
    """Every byte: what each layer unpacks to, and the configuration that names it."""
    repository = registry.repository(NAME)
    manifest = repository.manifest(published)
    assert manifest
    assert manifest.json["config"]["digest"] == built.config_digest
    unpacked = []
    for layer in manifest.json["layers"]:
        with (
            repository.blob(layer["digest"]) as blob,
            compression.unpacked(blob, layer["mediaType"]) as tar,
        ):
            found = hashlib.sha256()
            while block := tar.read(1 << 20):
                found.update(block)
            unpacked.append(f"sha256:{found.hexdigest()}")
    locked = [value for name, value in built.digests.items() if name.startswith("layer.")]
    assert unpacked == repository.config(manifest)["rootfs"]["diff_ids"] == locked


def test_what_vouches_for_it_is_attached(published: str, registry: Registry) -> None:
    repository = registry.repository(NAME)
    attached = [
        referrers.read(repository, one) for one in referrers.referrers(repository, published)
    ]
    assert {one.file_name for one in attached} == set(vouch.MEDIA_TYPES)
    bills = {one.file_name: one.content for one in attached if one.file_name in BILLS}
    sbom.validate(bills)
    (provenance,) = (one.content for one in attached if one.file_name == vouch.PROVENANCE)
    subjects = [one["digest"]["sha256"] for one in json.loads(provenance)["subject"]]
    assert published.removeprefix("sha256:") in subjects


@pytest.mark.usefixtures("published")
def test_its_signature_is_verified_before_it_is_pulled(
    publish: Kit, env: dict[str, str], key: Path, tmp_path: Path
) -> None:
    status, said = publish("verify-signature", f"--key={key}.pub", **env)
    assert status == 0, said
    assert f"is signed with {key}.pub" in said
    signing.make_key(tmp_path / "another.pem")
    status, said = publish("verify-signature", f"--key={tmp_path / 'another.pem'}.pub", **env)
    assert status == 1
    assert "and not with" in error_of(said)


def test_pulled_by_digest_it_runs_and_can_be_built_upon(
    published: str, registry: Registry, host: Engine, client: DockerClient
) -> None:
    name = f"{registry.host}/{NAME}@{published}"
    draw = "python -c 'import random; print(random.random())'"
    pulled = subprocess.run(
        [host.docker, "pull", "--quiet", name],
        env={**os.environ, **host.env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert pulled.returncode == 0, pulled.stderr
    try:
        assert client.containers.run(name, ["sh", "-c", draw], remove=True) == SEEDED + b"\n"
        built = subprocess.run(
            [
                *(*host.buildx, "build", "--no-cache", "--progress=plain"),
                *("--output=type=cacheonly", "--file=-", DERIVED),
            ],
            input=f"FROM {name}\nRUN {draw}\n",
            env={**os.environ, **host.env},
            capture_output=True,
            text=True,
            check=False,
        )
        assert built.returncode == 0, built.stderr
        assert SEEDED.decode() in built.stderr
    finally:
        client.images.remove(name, force=True)


@pytest.mark.usefixtures("built")
def test_a_dirty_tree_is_not_published(publish: Kit, checkout: Path, env: dict[str, str]) -> None:
    for name, content in (("Makefile", b"# changed\n"), ("docker/new", b"")):
        path = checkout / name
        before = path.read_bytes() if path.exists() else None
        path.write_bytes((before or b"") + content)
        try:
            status, said = publish("publish", **env)
        finally:
            path.write_bytes(before) if before is not None else path.unlink()
        assert status == 2
        assert f"1 files are not as they were committed, {name} among them" in error_of(said)


@pytest.fixture
def another_commit(checkout: Path) -> Iterator[Path]:
    """The checkout, put back afterwards to the commit that it was."""
    yield checkout
    subprocess.run(["git", "-C", checkout, "reset", "--quiet", "--hard", "HEAD~1"], check=True)


@pytest.mark.usefixtures("built")
def test_another_image_than_the_locked_one_is_not_published(
    publish: Kit, another_commit: Path, env: dict[str, str]
) -> None:
    lock = another_commit / "images/2.15-cpu/image.lock"
    lock.write_text(lock.read_text().replace("PYTHONHASHSEED 042", "PYTHONHASHSEED 043"))
    commit(another_commit)
    status, said = publish("publish", **env)
    assert status == 2
    line = error_of(said)
    assert "is not what images/2.15-cpu/image.lock names: env.PYTHONHASHSEED: 043 -> 042" in line


@pytest.mark.usefixtures("built")
def test_a_drifted_image_is_not_published(
    publish: Kit, another_commit: Path, env: dict[str, str]
) -> None:
    """Its lock names a package that no mirror has: a build would take another and be marked."""
    lock = another_commit / "images/2.15-cpu" / DEBS_LOCK
    (row,) = [line for line in lock.read_text().splitlines() if line.startswith("tzdata ")]
    name, version, arch, sha, size, location = row.split()
    gone = f"{name} {version}.gone {arch} {sha} {size} {location}.gone"
    lock.write_text(lock.read_text().replace(row, gone))
    commit(another_commit)
    status, said = publish("publish", **env)
    assert status == 2
    assert f"nowhere to be had: tzdata {version}.gone; run `make lock`" in error_of(said)


def test_a_fixed_tag_with_other_bytes_is_refused_before_anything_is_sent(
    publish: Kit, registry: Registry, published: str, env: dict[str, str]
) -> None:
    """Another image of this very release is there: nothing of ours goes beside it."""
    repository = registry.repository("org/taken")
    ours = registry.repository(NAME).manifest(published)
    assert ours
    config = {**registry.repository(NAME).config(ours), "author": "somebody else"}
    pushed = repository.push_bytes(json.dumps(config).encode())
    taken = {**ours.json, "config": {**ours.json["config"], **pushed}, "layers": []}
    manifest = Manifest(json.dumps(taken).encode(), ours.media_type)
    repository.put_manifest(manifest, "2.15.1-cpu")
    status, said = publish("publish", **{**env, "IMAGE_NAME": "org/taken"})
    assert status == 2
    assert f"org/taken:2.15.1-cpu is {pushed['digest']} and never comes to mean" in error_of(said)
    assert registry.tags("org/taken") == {"2.15.1-cpu"}


def test_the_changelog_of_an_image_and_itself(
    publish: Kit, published: str, env: dict[str, str]
) -> None:
    status, said = publish("changelog", published, "2.15-cpu", **env)
    assert status == 0, said
    assert "they are the same image" in said


def test_the_changelog_knows_every_package(
    published: str, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against an image of no layers: all that the locks name came, in the version of the locks."""
    repository = registry.repository(NAME)
    ours = repository.manifest(published)
    assert ours
    empty = Manifest(json.dumps({**ours.json, "layers": []}).encode(), ours.media_type)
    repository.put_manifest(empty)
    monkeypatch.setenv("REGISTRY", registry.host)
    monkeypatch.setenv("IMAGE_NAME", NAME)
    changes = changelog.changelog(matrix.load().family, empty.digest, published)
    came = {one.name: one.after for one in changes if one.before == NONE}
    assert came == versions(IMAGES / "2.15-cpu")
    assert [one.name for one in changes if one.name not in came] == ["size to pull"]
