"""The bills of materials: what they say, that they are valid, and that they are the same again."""

from __future__ import annotations

import email
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from packageurl import PackageURL

from scripts import matrix
from scripts.contents import licences, sbom
from scripts.errors import KitError
from tests.unit.kit import made_up_image

BSD = "Classifier: License :: OSI Approved :: BSD License\n"


@pytest.fixture
def documents(tmp_path: Path) -> dict[str, bytes]:
    return made_up_image.documents(tmp_path, matrix.load().named("2.15-cpu"))


def spdx_packages(documents: dict[str, bytes]) -> dict[str, Any]:
    return {one["name"]: one for one in json.loads(documents[sbom.SPDX])["packages"]}


def test_both_are_valid(documents: dict[str, bytes]) -> None:
    sbom.validate(documents)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (sbom.SPDX, b'"licenseDeclared": "Apache-2.0"', b'"licenseDeclared": "No-Such-Licence"'),
        (sbom.SPDX, b'"SHA256"', b'"SHA257"'),
        (sbom.CYCLONEDX, b'"SHA-256"', b'"SHA-257"'),
        (sbom.CYCLONEDX, b'"urn:uuid:', b'"urn:uid:'),
    ],
)
def test_what_is_not_valid_is_found(
    name: str, old: bytes, new: bytes, documents: dict[str, bytes]
) -> None:
    assert old in documents[name]
    documents[name] = documents[name].replace(old, new)
    with pytest.raises(KitError, match=name):
        sbom.validate(documents)


def test_they_name_every_package_with_version_hash_licence_and_purl(
    documents: dict[str, bytes],
) -> None:
    packages = spdx_packages(documents)
    assert packages.keys() == {
        *("tf-repro-2.15-cpu", "tf-repro", "libc++6", "tar", "numpy", "nvidia-x", "processor.json")
    }
    changed = packages["processor.json"]
    assert changed["checksums"][0]["checksumValue"] == hashlib.sha256(b"{}").hexdigest()
    assert changed["externalRefs"][0]["referenceLocator"].startswith("pkg:generic/tf-repro/")
    debian = packages["libc++6"]
    assert debian["versionInfo"] == "1:2-3+b1"
    assert debian["checksums"] == [{"algorithm": "SHA256", "checksumValue": "a" * 64}]
    assert debian["sourceInfo"] == "Debian source llvm 1:2-3"
    expected = "((GPL-2.0-or-later OR Artistic-1.0-Perl) AND MIT) AND LicenseRef-Debian-permissive"
    assert debian["licenseDeclared"] == expected
    assert packages["tar"]["licenseDeclared"] == expected, "its doc folder is a link"
    assert packages["numpy"]["licenseDeclared"] == "BSD-3-Clause"
    purl = debian["externalRefs"][0]["referenceLocator"]
    assert PackageURL.from_string(purl) == PackageURL(
        "deb", "debian", "libc++6", "1:2-3+b1", {"arch": "amd64", "distro": "bookworm"}
    )

    bill = json.loads(documents[sbom.CYCLONEDX])
    components = {one["name"]: one for one in bill["components"]}
    assert components["libc++6"]["purl"] == purl
    assert components["libc++6"]["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]
    assert components["libc++6"]["licenses"] == [{"expression": expected}]
    assert components["numpy"]["purl"] == "pkg:pypi/numpy@1.0"
    assert len(bill["dependencies"][0]["dependsOn"]) == len(components)


def test_they_are_the_same_bytes_again_and_know_no_clock(
    documents: dict[str, bytes], chosen: matrix.Chosen, tmp_path: Path
) -> None:
    again = sbom.make(
        chosen,
        made_up_image.DEBS[::-1],
        made_up_image.wheels()[::-1],
        made_up_image.layer(tmp_path),
        made_up_image.MADE,
    )
    assert again == documents
    assert json.loads(documents[sbom.SPDX])["creationInfo"]["created"] == "2026-11-01T00:00:00Z"
    assert json.loads(documents[sbom.CYCLONEDX])["metadata"]["timestamp"] == "2026-11-01T00:00:00Z"


def test_other_content_has_another_identity(
    documents: dict[str, bytes], chosen: matrix.Chosen, tmp_path: Path
) -> None:
    other = sbom.make(
        chosen,
        made_up_image.DEBS[:1],
        made_up_image.wheels(),
        made_up_image.layer(tmp_path),
        made_up_image.MADE,
    )
    for name, identity in ((sbom.SPDX, "documentNamespace"), (sbom.CYCLONEDX, "serialNumber")):
        assert json.loads(other[name])[identity] != json.loads(documents[name])[identity]


def test_the_name_that_images_are_published_under_changes_nothing(
    documents: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGE_NAME", "somebody/else")
    monkeypatch.setenv("REGISTRY", "registry.example")
    assert made_up_image.documents(tmp_path, matrix.load().named("2.15-cpu")) == documents


@pytest.mark.parametrize(
    ("field", "expression"),
    [
        ("GPL-2+", "GPL-2.0-or-later"),
        ("LGPL-2.1", "LGPL-2.1-only"),
        ("GPL-1+ or Artistic, and Expat", "(GPL-1.0-or-later OR Artistic-1.0-Perl) AND MIT"),
        ("GPL-3+ with Bison exception", "GPL-3.0-or-later WITH Bison-exception-2.2"),
        ("GPL-2+ with odd exception", "LicenseRef-Debian-GPL-2-or-later-with-odd-exception"),
        ("BSD-3-clause and/or GPL-3+", "BSD-3-Clause OR GPL-3.0-or-later"),
        ("MIT/X11", "LicenseRef-Debian-MIT-X11"),
        ("...", ""),
        ("", ""),
    ],
)
def test_debians_names_become_spdxs(field: str, expression: str) -> None:
    assert licences.expression_of(field) == expression


def test_a_copyright_file_that_no_machine_can_read_says_so() -> None:
    text = "This is tar.\nThe text is in /usr/share/common-licenses/GPL-3.\n"
    expression, why = licences.of_debian(text)
    assert expression == licences.NOASSERTION
    assert why.endswith("not machine-readable; it refers to the common licences GPL-3")
    assert licences.of_debian("Format: x\nFiles: *\n")[0] == licences.NOASSERTION


@pytest.mark.parametrize(
    ("metadata", "expression"),
    [
        ("License-Expression: MIT OR 0BSD\nLicense: other\n", "MIT OR 0BSD"),
        (f"License: BSD 3-Clause\n{BSD}", "BSD-3-Clause"),
        ("Classifier: License :: OSI Approved :: MIT License\n", "MIT"),
        (f"License: BSD\n{BSD}", "LicenseRef-PyPI-BSD"),
        (f"License: Copyright\n    All rights reserved.\n{BSD}", "LicenseRef-PyPI-BSD-License"),
        ("License: NVIDIA Proprietary Software\n", "LicenseRef-PyPI-NVIDIA-Proprietary-Software"),
        ("Name: x\n", "NOASSERTION"),
    ],
)
def test_what_a_wheel_says_of_its_licence(metadata: str, expression: str) -> None:
    assert licences.of_wheel(email.message_from_string(metadata))[0] == expression
