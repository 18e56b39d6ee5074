"""The registry's API, against a real registry, with images of a few bytes."""

from __future__ import annotations

import base64
import json
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from docker import DockerClient
from scripts import matrix, oci
from scripts.errors import KitError
from scripts.publish import changelog
from scripts.registry import push, referrers
from scripts.registry.api import Manifest, Repository
from scripts.registry.compression import COMPRESSIONS, MEDIA_TYPES, Compression, unpacked
from tests.image.registries import Registry

pytestmark = pytest.mark.xdist_group("registry")

SBOM = ("application/spdx+json", "application/json", "sbom.spdx.json", b'{"spdxVersion": "2.3"}')
SIGNATURE = ("application/vnd.test.signature", "text/plain", "image.sig", b"signed")
# What `htpasswd -nbB somebody secret` prints.
SOMEBODY = "somebody:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a"


def image(folder: Path, files: dict[str, bytes], epoch: int = 0) -> oci.Layout:
    """Make an image of one layer."""
    folder.mkdir()
    root = folder / "root"
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    layer = folder / "layer.tar"
    with tarfile.open(layer, "w") as tar:
        tar.add(root, ".")
    return oci.write_layout(folder / "image", layer=layer, epoch=epoch, made_by="a test")


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> oci.Layout:
    return image(tmp_path_factory.mktemp("one") / "it", {"etc/issue": b"one" * 10_000})


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> oci.Layout:
    return image(tmp_path_factory.mktemp("other") / "it", {"etc/issue": b"other"})


@pytest.fixture(autouse=True)
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What was pushed before is remembered in a folder of the test's own."""
    monkeypatch.setenv("TF_REPRO_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def send(
    layout: oci.Layout,
    repository: Repository,
    compression: Compression = "zstd",
    *,
    fixed: Sequence[str] = ("1.0", "1.0-abc"),
    moving: Sequence[str] = ("1", "latest"),
    attachers: Sequence[push.Attacher] = (),
) -> push.Pushed:
    return push.push(
        "a-test", layout, repository, compression, fixed=fixed, moving=moving, attachers=attachers
    )


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_what_is_pushed_is_what_is_pulled(
    registry: Registry, one: oci.Layout, compression: Compression
) -> None:
    repository = registry.repository(f"pulled/{compression}")
    pushed = send(one, repository, compression)
    found = repository.manifest(str(pushed.manifest["digest"]))
    assert found
    assert found.json["config"]["digest"] == one.config_digest
    (layer,) = found.json["layers"]
    assert layer["mediaType"] == MEDIA_TYPES[compression]
    (diff_id,) = one.config["rootfs"]["diff_ids"]
    with (
        repository.blob(layer["digest"]) as blob,
        unpacked(blob, layer["mediaType"]) as tar,
    ):
        assert tar.read() == one.blob(diff_id).read_bytes()
    assert registry.tags(repository.name) == {"1.0", "1.0-abc", "1", "latest"}


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_an_engine_pulls_it(
    registry: Registry, client: DockerClient, tmp_path: Path, compression: Compression
) -> None:
    """Bytes of its own, for an engine does not ask for a layer that it has."""
    layout = image(tmp_path / "it", {"etc/issue": compression.encode()})
    name = f"{registry.host}/engine/{compression}"
    pushed = send(layout, registry.repository(f"engine/{compression}"), compression)
    client.images.pull(name, tag=str(pushed.manifest["digest"]))
    pulled = client.images.get(f"{name}@{pushed.manifest['digest']}")
    try:
        assert pulled.attrs["RootFS"]["Layers"] == layout.config["rootfs"]["diff_ids"]
        container = client.containers.create(pulled, ["nothing"])
        chunks, _ = container.get_archive("/etc/issue")
        container.remove()
        assert compression.encode() in b"".join(chunks)
    finally:
        client.images.remove(f"{name}@{pushed.manifest['digest']}", force=True)


def test_another_compression_is_another_manifest_of_the_same_image(
    registry: Registry, one: oci.Layout
) -> None:
    repository = registry.repository("compressions")
    digests = {str(send(one, repository, name).manifest["digest"]) for name in COMPRESSIONS}
    assert len(digests) == 2
    manifests = [repository.manifest(digest) for digest in digests]
    assert {found.json["config"]["digest"] for found in manifests if found} == {one.config_digest}


def test_a_fixed_tag_never_comes_to_mean_other_bytes(
    registry: Registry, one: oci.Layout, other: oci.Layout
) -> None:
    repository = registry.repository("fixed")
    before = send(one, repository)
    with pytest.raises(
        KitError, match=r"fixed:1\.0 is sha256:\w+ and never comes to mean other"
    ) as e:
        send(other, repository)
    assert "\n" not in str(e.value)
    for tag in ("1.0", "1", "latest"):
        found = repository.manifest(tag)
        assert found
        assert found.digest == before.manifest["digest"]


def test_moving_tags_move_last(
    registry: Registry, one: oci.Layout, other: oci.Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = registry.repository("moving")
    send(one, repository, fixed=["1.0"])
    order = []
    whole = Repository.put_manifest

    def watched(self: Repository, manifest: Manifest, reference: str = "") -> bool:
        order.append(reference or manifest.json.get("artifactType", "by digest"))
        return whole(self, manifest, reference)

    monkeypatch.setattr(Repository, "put_manifest", watched)
    pushed = send(other, repository, fixed=["1.1"], attachers=[lambda _: [SBOM]])
    listing = str(pushed.manifest["digest"]).replace(":", "-")
    assert order == ["by digest", SBOM[0], listing, "1.1", "1", "latest"]


def test_a_second_push_sends_nothing(
    registry: Registry,
    one: oci.Layout,
    monkeypatch: pytest.MonkeyPatch,
    data_root: Path,
    tmp_path: Path,
) -> None:
    repository = registry.repository("twice")
    first = send(one, repository, attachers=[lambda _: [SBOM]])
    monkeypatch.setattr(Repository, "_start_upload", lambda _: pytest.fail("a blob was sent"))
    # Remembered by this machine, and on another one found out.
    for folder in (data_root, tmp_path / "another"):
        monkeypatch.setenv("TF_REPRO_DATA", str(folder))
        assert send(one, repository, attachers=[lambda _: [SBOM]]) == first


def test_artefacts_are_attached_listed_and_read_back(registry: Registry, one: oci.Layout) -> None:
    repository = registry.repository("attached")
    pushed = send(one, repository, attachers=[lambda _: [SBOM], lambda _: [SIGNATURE]])
    digest = str(pushed.manifest["digest"])
    listed = referrers.referrers(repository, digest)
    assert [one["artifactType"] for one in listed] == [SBOM[0], SIGNATURE[0]]
    assert [tuple(referrers.read(repository, one)) for one in listed] == [SBOM, SIGNATURE]
    assert [one["artifactType"] for one in referrers.referrers(repository, digest, SBOM[0])] == [
        SBOM[0]
    ]
    manifest = repository.manifest(str(listed[0]["digest"]))
    assert manifest
    assert manifest.json["subject"] == pushed.manifest
    # Once more changes nothing, and another one comes beside those that are there.
    again = referrers.attach(repository, pushed.manifest, [SBOM])
    assert again == [listed[0]]
    assert referrers.referrers(repository, digest) == listed
    later = (*SIGNATURE[:3], b"signed again")
    referrers.attach(repository, pushed.manifest, [later])
    assert len(referrers.referrers(repository, digest)) == 3


def test_nothing_is_attached_to_what_nobody_attached_to(
    registry: Registry, one: oci.Layout
) -> None:
    repository = registry.repository("alone")
    pushed = send(one, repository)
    assert referrers.referrers(repository, str(pushed.manifest["digest"])) == []


def test_bytes_that_are_not_the_digests_are_refused(registry: Registry, one: oci.Layout) -> None:
    repository = registry.repository("broken")
    wrong = f"sha256:{'0' * 64}"
    with pytest.raises(KitError, match="DIGEST_INVALID"):
        repository.push_blob(one.blob(one.config_digest), wrong)
    assert not repository.has_blob(wrong)
    # And what the registry gives is checked, too.
    digest = str(repository.push_bytes(b"as it was")["digest"])
    (stored,) = (registry.folder / "blobs").rglob(f"{digest.removeprefix('sha256:')}/data")
    stored.write_bytes(b"as it is!")
    with pytest.raises(KitError, match="not to be trusted"):
        repository.read_blob(digest)


def test_a_registry_that_does_not_answer_is_one_line() -> None:
    with pytest.raises(
        KitError, match=r"^127\.0\.0\.1:1: the registry does not answer: "
    ) as caught:
        Repository("127.0.0.1:1", "nobody").manifest("latest")
    assert "\n" not in str(caught.value)


@pytest.fixture
def guarded(registry: Registry, tmp_path: Path) -> Iterator[Registry]:
    """A registry that wants a name and a password."""
    with Registry(registry.program, tmp_path / "guarded", SOMEBODY) as other:
        yield other


def test_the_docker_clients_credentials_are_used(
    guarded: Registry, one: oci.Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "docker"
    home.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(home))
    with pytest.raises(KitError, match=f"`docker login {guarded.host}` first"):
        send(one, guarded.repository("private"))
    pair = base64.b64encode(b"somebody:wrong").decode()
    (home / "config.json").write_text(json.dumps({"auths": {guarded.host: {"auth": pair}}}))
    with pytest.raises(KitError, match="401 UNAUTHORIZED"):
        send(one, guarded.repository("private"))
    # A credential helper, as desktop keychains and clouds have them.
    helper = tmp_path / "bin/docker-credential-test"
    helper.parent.mkdir()
    helper.write_text('#!/bin/sh\necho \'{"Username": "somebody", "Secret": "secret"}\'\n')
    helper.chmod(0o755)
    path = subprocess.check_output(["sh", "-c", "echo $PATH"], text=True).strip()
    monkeypatch.setenv("PATH", f"{helper.parent}:{path}")
    (home / "config.json").write_text(json.dumps({"credHelpers": {guarded.host: "test"}}))
    send(one, guarded.repository("private"))


def test_what_changed_between_two_images(registry: Registry, tmp_path: Path) -> None:
    status = "Package: tar\nStatus: install ok installed\nVersion: {}\n\n"
    sent = {}
    for version in ("1", "2"):
        files = {
            changelog.DEBS: status.format(f"1.3{version}").encode(),
            changelog.WHEELS: f"keras==2.1{version}.0 --hash=sha256:0\nnumpy==1.26.4\n".encode(),
        }
        layout = image(tmp_path / version, files)
        sent[version] = layout.config_digest
        send(layout, registry.repository("changes"), fixed=[version], moving=[])
    update = {"registry": registry.host, "name": "changes"}
    family = matrix.load().family.model_copy(update=update)
    found = {one.name: (one.before, one.after) for one in changelog.changelog(family, "1", "2")}
    size = found.pop("size to pull", None)
    assert size is None or size[0] != size[1]
    assert found == {
        "config digest": (sent["1"], sent["2"]),
        "deb tar": ("1.31", "1.32"),
        "wheel keras": ("2.11.0", "2.12.0"),
    }
    with pytest.raises(KitError, match="changes:3 is not in the registry"):
        changelog.changelog(family, "1", "3")
