"""An image's bill of materials, in both common forms.

It is in the image, and so covered by the image's digest: equal inputs give equal bytes. No clock,
no random identifier, and written by us, for a library would sign with a version of its own, and
every new one would give other images. The libraries check what we write: `validate`.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.contents import components
from scripts.contents.components import Component
from scripts.contents.licences import NOASSERTION, references
from scripts.errors import KitError
from scripts.git_tree import revision
from scripts.locks.apt import Deb
from scripts.locks.wheels import Wheel
from scripts.matrix import Chosen
from scripts.places import REPO

SPDX, CYCLONEDX = "sbom.spdx.json", "sbom.cdx.json"
TOOL = "tf-repro-kit"


@dataclass(frozen=True)
class Subject:
    """What a bill is about.

    Attributes:
        name: of the image, without a registry: the same bytes go by many names.
        version: its TensorFlow.
        created: the family's epoch, as in 2026-11-01T00:00:00Z.
        source: where the kit's own source is.
        runtime: the revision of what the kit lays over the packages.
        licence: of that.
        components: everything else that the image holds.
    """

    name: str
    version: str
    created: str
    source: str
    runtime: str
    licence: str
    components: Sequence[Component]

    @property
    def namespace(self) -> str:
        """An address that no bill of other content has."""
        said = json.dumps([self.name, self.runtime, *(one.__dict__ for one in self.components)])
        return f"{self.source}/sbom/{self.name}/{hashlib.sha256(said.encode()).hexdigest()}"


def make(
    chosen: Chosen,
    packages: Sequence[Deb],
    wheels: Sequence[Wheel],
    layer: Path,
    made: Mapping[str, bytes],
) -> dict[str, bytes]:
    """Return both bills of an image, by the name of the file.

    Args:
        chosen: which image.
        packages: its Debian packages.
        wheels: its wheels, in the cache and verified.
        layer: the tar of its root file system.
        made: the files by which the kit changes what TensorFlow computes, by name.
    """
    family = chosen.family
    subject = Subject(
        name=f"tf-repro-{chosen.tag}",
        version=chosen.image.tensorflow,
        created=family.epoch.strftime("%Y-%m-%dT%H:%M:%SZ"),
        source=family.source,
        runtime=revision(REPO / "docker"),
        licence=family.licences,
        components=[
            *components.of_image(packages, wheels, chosen.base, layer),
            *(
                components.of_file(name, content, chosen.image.tensorflow, family.licences)
                for name, content in made.items()
            ),
        ],
    )
    documents = {SPDX: spdx(subject), CYCLONEDX: cyclonedx(subject)}
    return {
        name: (json.dumps(document, indent=1) + "\n").encode()
        for name, document in documents.items()
    }


def spdx(subject: Subject) -> dict[str, Any]:
    """Return the bill as SPDX 2.3, https://spdx.github.io/spdx-spec/v2.3/."""
    image, runtime = "SPDXRef-image", "SPDXRef-runtime"
    ids = {one.purl: f"SPDXRef-{_slug(one.purl)}" for one in subject.components}
    own = {
        "downloadLocation": NOASSERTION,
        "filesAnalyzed": False,
        "licenseConcluded": NOASSERTION,
        "copyrightText": NOASSERTION,
    }
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": subject.name,
        "documentNamespace": subject.namespace,
        "creationInfo": {"created": subject.created, "creators": [f"Tool: {TOOL}"]},
        "hasExtractedLicensingInfos": [
            {
                "licenseId": reference,
                "name": reference.split("-", 2)[2],
                "extractedText": "A licence that SPDX has no name for; its text is in the package.",
            }
            for reference in references([one.licence for one in subject.components])
        ],
        "packages": [
            {
                "SPDXID": image,
                "name": subject.name,
                "versionInfo": subject.version,
                "licenseDeclared": NOASSERTION,
                "primaryPackagePurpose": "CONTAINER",
                **own,
            },
            {
                "SPDXID": runtime,
                "name": "tf-repro",
                "versionInfo": subject.runtime,
                "licenseDeclared": subject.licence,
                **own,
            },
            *(_spdx_package(ids[one.purl], one) | own for one in subject.components),
        ],
        "relationships": [
            _relationship("SPDXRef-DOCUMENT", "DESCRIBES", image),
            *(_relationship(image, "CONTAINS", part) for part in (runtime, *ids.values())),
        ],
    }


def _spdx_package(spdx_id: str, component: Component) -> dict[str, Any]:
    source = {"sourceInfo": f"Debian source {component.source}"} if component.source else {}
    return {
        "SPDXID": spdx_id,
        "name": component.name,
        "versionInfo": component.version,
        "packageFileName": component.file_name,
        "checksums": [{"algorithm": "SHA256", "checksumValue": component.sha256}],
        "licenseDeclared": component.licence,
        "licenseComments": component.licence_source,
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": component.purl,
            }
        ],
        **source,
    }


def _relationship(one: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def _slug(purl: str) -> str:
    """Return what of a package URL may stand in an SPDX identifier; the rest in numbers.

    >>> _slug("pkg:deb/debian/libstdc++6@12")
    'deb-debian-libstdc.2b.2b6.4012'
    """
    path = purl.partition("?")[0].removeprefix("pkg:").replace("/", "-")
    return re.sub(r"[^A-Za-z0-9.-]", lambda match: f".{ord(match[0]):x}", path)


def cyclonedx(subject: Subject) -> dict[str, Any]:
    """Return the bill as CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json/."""
    image, runtime = f"image:{subject.name}", f"runtime:{subject.runtime}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        # A name-based UUID, RFC 9562 version 5: of the content, not of chance.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, subject.namespace)}",
        "version": 1,
        "metadata": {
            "timestamp": subject.created,
            "tools": {"components": [{"type": "application", "name": TOOL}]},
            "component": {
                "type": "container",
                "bom-ref": image,
                "name": subject.name,
                "version": subject.version,
            },
        },
        "components": [
            {
                "type": "library",
                "bom-ref": runtime,
                "name": "tf-repro",
                "version": subject.runtime,
                "licenses": [{"expression": subject.licence}],
            },
            *(_cyclonedx_component(one) for one in subject.components),
        ],
        "dependencies": [
            {"ref": image, "dependsOn": [runtime, *(one.purl for one in subject.components)]}
        ],
    }


def _cyclonedx_component(component: Component) -> dict[str, Any]:
    known = component.licence != NOASSERTION
    properties = {
        "tf-repro:file": component.file_name,
        "tf-repro:licence": component.licence_source,
        **({"tf-repro:source": component.source} if component.source else {}),
    }
    return {
        "type": "library",
        "bom-ref": component.purl,
        "name": component.name,
        "version": component.version,
        "purl": component.purl,
        "hashes": [{"alg": "SHA-256", "content": component.sha256}],
        **({"licenses": [{"expression": component.licence}]} if known else {}),
        "properties": [{"name": name, "value": value} for name, value in properties.items()],
    }


def validate(documents: Mapping[str, bytes]) -> None:
    """Check both bills against the schemas and rules of the formats' own libraries.

    Raises:
        KitError: one is not valid; with the first thing that is wrong.
    """
    wrong = _wrong_spdx(documents[SPDX]) or _wrong_cyclonedx(documents[CYCLONEDX])
    if wrong:
        raise KitError(f"{wrong}; this is a bug of the kit, please report it")


def _wrong_spdx(data: bytes) -> str | None:
    from spdx_tools.spdx.parser.error import SPDXParsingError  # noqa: PLC0415 - seconds to load
    from spdx_tools.spdx.parser.parse_anything import parse_file  # noqa: PLC0415 - as above
    from spdx_tools.spdx.validation.document_validator import (  # noqa: PLC0415 - as above
        validate_full_spdx_document,
    )

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / SPDX
        path.write_bytes(data)
        try:
            messages = validate_full_spdx_document(parse_file(str(path)))
        except SPDXParsingError as error:
            return f"{SPDX}: {error.messages[0]}"
    return f"{SPDX}: {messages[0].validation_message}" if messages else None


def _wrong_cyclonedx(data: bytes) -> str | None:
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415 - see `_wrong_spdx`
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415 - as above

    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(data.decode())
    return f"{CYCLONEDX}: {error}" if error else None
