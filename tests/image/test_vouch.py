"""What is said of the real image: in it, beside it, and in its owner's name."""

from __future__ import annotations

import json
from pathlib import Path

from scripts.build.build import Built
from scripts.contents import sbom
from scripts.vouch import vouch
from tests.image.conftest import Kit, RunInImage

SHARE = "/opt/tf-repro/share"
INSTALLED = r"""
dpkg-query --show --showformat='deb ${Package} ${Version}\n'
python -m pip list --format=freeze | sed 's/^/pypi /; s/==/ /'
"""


def test_the_bills_are_in_the_image_and_valid(built: Built, run_in_image: RunInImage) -> None:
    assert built.materials.documents.keys() == {sbom.SPDX, sbom.CYCLONEDX}
    for name, content in built.materials.documents.items():
        done = run_in_image(["cat", f"{SHARE}/{name}"])
        assert done.stdout.encode() == content
    sbom.validate(built.materials.documents)


def test_the_bills_name_exactly_what_is_installed(built: Built, run_in_image: RunInImage) -> None:
    done = run_in_image(["bash", "-c", INSTALLED])
    installed = {
        (kind, name.lower().replace("_", "-"), version)
        for kind, name, version in (line.split() for line in done.stdout.splitlines())
    }
    bill = json.loads(built.materials.documents[sbom.CYCLONEDX])
    named = {
        (one["purl"].partition(":")[2].partition("/")[0], one["name"], one["version"])
        for one in bill["components"]
        if "purl" in one
    }
    # The kit's own metadata under TensorFlow's other name: no package of the index, so in no bill.
    # What the kit lays over TensorFlow's code is no package, and is named.
    made = {("generic", "processor.json", "2.15.1")}
    assert named == made | installed - {("pypi", "tensorflow", "2.15.1")}


def test_most_packages_have_a_licence(built: Built) -> None:
    """What has none is in Debian's few copyright files that no machine can read."""
    packages = json.loads(built.materials.documents[sbom.SPDX])["packages"]
    unknown = [one for one in packages if one["licenseDeclared"] == "NOASSERTION"]
    assert len(unknown) < len(packages) / 5
    assert all(
        "not machine-readable" in one["licenseComments"]
        for one in unknown
        if "packageFileName" in one and one["packageFileName"].endswith(".deb")
    )


def test_an_image_is_signed_and_verified_before_use(built: Built, kit: Kit, tmp_path: Path) -> None:
    mine, another = tmp_path / "mine.pem", tmp_path / "another.pem"
    for key in (mine, another):
        assert kit("sign-key", str(key))[0] == 0
    into = f"--into={tmp_path / 'vouched'}"
    signature = tmp_path / "vouched/2.15-cpu" / vouch.SIGNATURE

    def verify(key: Path) -> tuple[int, str]:
        """Return the exit status and what is said last: before it, others may be waited for."""
        status, said = kit("verify-signature", into, f"--key={key}.pub")
        *before, last = said.splitlines()
        assert all(line.startswith("another build uses ") for line in before), said
        return status, last

    status, said = verify(mine)
    assert status == 1
    assert "the image is not signed" in said

    status, said = kit("sign", into, f"--key={mine}")
    assert status == 0, said
    status, said = verify(mine)
    assert status == 0
    assert f"{built.config_digest} is signed with {mine}.pub" in said

    status, said = verify(another)
    assert status == 1
    assert "and not with" in said

    envelope = json.loads(signature.read_text())
    payload = envelope["payload"]
    signature.write_text(json.dumps(envelope | {"payload": payload[:-8] + "A" + payload[-7:]}))
    status, said = verify(mine)
    assert status == 1
    assert "was altered" in said
