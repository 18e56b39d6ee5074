"""Provenance and signatures: what they say, and everything that a signature must not pass."""

from __future__ import annotations

import base64
import json
import stat
import subprocess
from pathlib import Path

import pytest

from scripts.build import record
from scripts.contents import sbom
from scripts.engine.engine import Engine
from scripts.errors import KitError
from scripts.matrix import Chosen
from scripts.places import data_folder
from scripts.registry.referrers import Artefact
from scripts.vouch import signing, vouch
from tests.unit.kit import made_up_image
from tests.unit.kit.made_up_image import CONFIG, INPUTS

MANIFEST = f"sha256:{'e' * 64}"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "keys/private.pem"
    assert signing.make_key(path) == tmp_path / "keys/private.pem.pub"
    return path


@pytest.fixture
def image() -> record.Image:
    """The record that a build leaves."""
    (data_folder("built") / INPUTS.removeprefix("sha256:")).write_text(f"{MANIFEST} {CONFIG}\n")
    return record.Image(MANIFEST, CONFIG)


@pytest.fixture
def artefacts(
    tmp_path: Path, key: Path, image: record.Image, chosen: Chosen
) -> dict[str, Artefact]:
    found = vouch.artefacts(
        *(chosen, made_up_image.built(tmp_path, chosen)),
        manifest_digest=image.image_id,
        key=key,
    )
    return {one.file_name: one for one in found}


def public(key: Path) -> Path:
    return key.with_name(f"{key.name}.pub")


def test_there_are_two_bills_a_provenance_and_its_signature(
    artefacts: dict[str, Artefact],
) -> None:
    assert {name: one.artifact_type for name, one in artefacts.items()} == {
        sbom.SPDX: "application/spdx+json",
        sbom.CYCLONEDX: "application/vnd.cyclonedx+json",
        vouch.PROVENANCE: "application/vnd.in-toto+json",
        vouch.SIGNATURE: "application/vnd.dsse.envelope.v1+json",
    }


def test_the_provenance_names_the_image_and_every_byte_that_went_in(
    artefacts: dict[str, Artefact],
) -> None:
    statement = json.loads(artefacts[vouch.PROVENANCE].content)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    assert [one["digest"]["sha256"] for one in statement["subject"]] == ["c" * 64, "e" * 64]
    definition = statement["predicate"]["buildDefinition"]
    parameters = definition["externalParameters"]
    assert parameters["tag"] == "2.15-cpu"
    assert parameters["matrix"]["image"]["tensorflow"] == "2.15.1"
    source, *packages = definition["resolvedDependencies"]
    assert (
        source["digest"]["gitTree"]
        == json.loads(artefacts[sbom.SPDX].content)["packages"][1]["versionInfo"]
    )
    assert {one["name"]: one["digest"]["sha256"] for one in packages} == {
        **{deb.file_name: deb.sha256 for deb in made_up_image.DEBS},
        **{wheel.file_name: wheel.sha256 for wheel in made_up_image.wheels()},
    }
    assert statement["predicate"]["runDetails"]["metadata"]["finishedOn"].endswith("Z")


def test_who_built_it_can_be_said(
    tmp_path: Path, image: record.Image, chosen: Chosen, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert image.config == CONFIG
    made = made_up_image.built(tmp_path, chosen)
    monkeypatch.setenv("BUILDER_ID", "https://ci.example/builders/1")
    (statement,) = (
        json.loads(one.content)
        for one in vouch.artefacts(chosen, made)
        if one.file_name == vouch.PROVENANCE
    )
    builder = statement["predicate"]["runDetails"]["builder"]["id"]
    assert builder == "https://ci.example/builders/1"
    assert len(statement["subject"]) == 1


def test_a_signature_verifies(artefacts: dict[str, Artefact], key: Path) -> None:
    envelope = artefacts[vouch.SIGNATURE].content
    statement = signing.verify(envelope, public(key), CONFIG, "here")
    assert statement == json.loads(artefacts[vouch.PROVENANCE].content)
    assert signing.verify(envelope, public(key), MANIFEST, "here") == statement


def test_openssl_agrees(artefacts: dict[str, Artefact], key: Path, tmp_path: Path) -> None:
    """It is ECDSA over SHA-256 of DSSE's encoding, and not of something of our own."""
    envelope = json.loads(artefacts[vouch.SIGNATURE].content)
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"]
    signed = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    (tmp_path / "signed").write_bytes(signed)
    (tmp_path / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    argv: list[str | Path] = ["openssl", "dgst", "-sha256", "-verify", public(key)]
    argv += ["-signature", tmp_path / "sig", tmp_path / "signed"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "Verified OK", done.stderr


def altered(envelope: bytes, **changes: object) -> bytes:
    return json.dumps(json.loads(envelope) | changes).encode()


def warning(envelope: bytes, key: Path) -> bytes:
    """Sign another kind of statement about the same image, with the right key."""
    statement = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    statement["predicateType"] = "https://example/warning"
    return signing.sign(json.dumps(statement).encode(), key)


def test_what_is_not_right_does_not_pass(
    artefacts: dict[str, Artefact], key: Path, tmp_path: Path
) -> None:
    envelope = artefacts[vouch.SIGNATURE].content
    content = json.loads(envelope)
    payload = base64.b64decode(content["payload"])
    other = tmp_path / "other.pem"
    signing.make_key(other)
    tampered = base64.b64encode(payload.replace(b"2.15.1", b"2.15.2")).decode()
    named_alone = content["signatures"][0] | {"sig": "AAAA"}
    cases = [
        ("and not with", envelope, public(other), CONFIG),
        ("was altered", altered(envelope, payload=tampered), public(key), CONFIG),
        ("was altered", altered(envelope, payloadType="text/plain"), public(key), CONFIG),
        # A name is a hint, and proves nothing.
        ("was altered", altered(envelope, signatures=[named_alone]), public(key), CONFIG),
        ("and the image is sha256:0", envelope, public(key), f"sha256:{'0' * 64}"),
        ("holds no signature", altered(envelope, signatures=[]), public(key), CONFIG),
        ("not a DSSE envelope", b"{}", public(key), CONFIG),
        ("not a DSSE envelope", b"\xff", public(key), CONFIG),
        ("not a DSSE envelope", altered(envelope, payload="!"), public(key), CONFIG),
        ("no in-toto statement", signing.sign(b"[]", key), public(key), CONFIG),
        ("no provenance but", warning(envelope, key), public(key), CONFIG),
    ]
    for expected, data, trusted, digest in cases:
        with pytest.raises(signing.NotVouchedError, match=expected) as raised:
            signing.verify(data, trusted, digest, "here")
        assert "\n" not in str(raised.value)
        assert str(raised.value).startswith("here: ")
        assert raised.value.exit_code == 1


def test_a_name_of_the_key_that_lies_does_not_stop_the_right_one(
    artefacts: dict[str, Artefact], key: Path
) -> None:
    content = json.loads(artefacts[vouch.SIGNATURE].content)
    content["signatures"][0]["keyid"] = "another"
    assert signing.verify(json.dumps(content).encode(), public(key), CONFIG, "here")


def test_a_missing_signature_is_one_clear_line(
    tmp_path: Path, key: Path, chosen: Chosen, no_engine: Engine
) -> None:
    with pytest.raises(signing.NotVouchedError, match=r"not signed: `make sign IMAGE=2\.15-cpu`"):
        vouch.verify_files(chosen, no_engine, public(key), tmp_path / "none")


def test_what_is_written_is_what_is_handed_to_a_registry(
    artefacts: dict[str, Artefact], tmp_path: Path
) -> None:
    vouch.write(list(artefacts.values()), tmp_path / "a/b")
    for name, one in artefacts.items():
        assert (tmp_path / "a/b" / name).read_bytes() == one.content


def test_a_private_key_is_for_its_owner_alone(key: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    with pytest.raises(KitError, match="never written over"):
        signing.make_key(key)
    public(key).unlink()
    before = key.read_bytes()
    with pytest.raises(KitError, match="never written over"):
        signing.make_key(key)
    assert key.read_bytes() == before
    key.chmod(0o640)
    with pytest.raises(KitError, match=f"chmod 600 {key}"):
        signing.sign(b"{}", key)
    with pytest.raises(KitError, match="`make sign-key KEY="):
        signing.sign(b"{}", tmp_path / "none")


def test_a_private_key_can_have_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_PASSWORD", "correct horse")
    key = tmp_path / "locked.pem"
    signing.make_key(key)
    assert b"ENCRYPTED" in key.read_bytes()
    signing.sign(b"{}", key)
    for wrong in ("wrong", ""):
        monkeypatch.setenv("KEY_PASSWORD", wrong)
        with pytest.raises(KitError, match="KEY_PASSWORD is not its password"):
            signing.sign(b"{}", key)


def test_what_is_no_key_is_said_to_be_none(tmp_path: Path, key: Path) -> None:
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("x")
    nonsense.chmod(0o600)
    with pytest.raises(KitError, match="not a private key in PEM"):
        signing.sign(b"{}", nonsense)
    for wrong, expected in ((nonsense, "not a public key"), (tmp_path / "none", "KEY= names")):
        with pytest.raises(KitError, match=expected):
            signing.verify(signing.sign(b"{}", key), wrong, CONFIG, "here")
