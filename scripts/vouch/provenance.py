"""How an image came to be: a SLSA provenance statement, beside the image and not in its digest.

https://slsa.dev/spec/v1.0/provenance in a statement of https://in-toto.io/Statement/v1. It names
the time and the builder, which differ from build to build while the image does not.
"""

from __future__ import annotations

import json
import os
from typing import Any

from scripts import oci
from scripts.build import record
from scripts.build.build import Built
from scripts.contents.components import deb_purl, wheel_purl
from scripts.git_tree import revision
from scripts.locks.apt import Deb
from scripts.locks.wheels import Wheel
from scripts.matrix import Chosen
from scripts.places import REPO
from scripts.processes import finish
from scripts.vouch.signing import PREDICATE, STATEMENT

TIME = "%Y-%m-%dT%H:%M:%SZ"


def statement(chosen: Chosen, built: Built, manifest_digest: str | None = None) -> dict[str, Any]:
    """Return the provenance of an image.

    Args:
        chosen: which image.
        built: the image in the engine.
        manifest_digest: of the image in a registry, `sha256:…`, where it is in one.
    """
    family, base, stack = chosen.family, chosen.base, chosen.stack
    tables = {"image": chosen.image, "base": base, **({"cuda": stack} if stack else {})}
    subjects = [_subject(built.name, built.config_digest, oci.CONFIG)]
    if manifest_digest:
        subjects.append(_subject(built.name, manifest_digest, oci.MANIFEST))
    return {
        "_type": STATEMENT,
        "subject": subjects,
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": f"{family.source}#build-it",
                "externalParameters": {
                    "tag": chosen.tag,
                    "matrix": {
                        name: table.model_dump(mode="json") for name, table in tables.items()
                    },
                },
                "internalParameters": {
                    "inputs": built.inputs,
                    "sourceDateEpoch": family.source_date_epoch,
                    "drift": list(built.drift),
                },
                "resolvedDependencies": [
                    {"uri": f"git+{family.source}", "digest": source_digest()},
                    *(_dependency(deb_purl(deb, base), deb) for deb in built.materials.debs),
                    *(_dependency(wheel_purl(one), one) for one in built.materials.wheels),
                ],
            },
            "runDetails": {
                "builder": {
                    # https://slsa.dev/spec/v1.0/provenance#builder.id: who is trusted to say this.
                    "id": os.environ.get("BUILDER_ID") or f"{family.source}/builders/local",
                    "version": {"tf-repro-kit": revision(REPO / "scripts")},
                },
                "metadata": {
                    "invocationId": built.inputs,
                    "finishedOn": record.finished(built.inputs).strftime(TIME),
                },
            },
        },
    }


def render(statement: dict[str, Any]) -> bytes:
    """Return a statement as the bytes that are written and signed."""
    return (json.dumps(statement, indent=1) + "\n").encode()


def source_digest() -> dict[str, str]:
    """Return which source it is: git's id of docker/, and of the commit where it is just that.

    A tree with changes is no commit, and an export has none. https://github.com/in-toto/attestation/
    blob/main/spec/v1/digest_set.md has the names.
    """
    found = {"gitTree": revision(REPO / "docker")}
    changed = finish(["git", "-C", REPO, "status", "--porcelain"])
    head = finish(["git", "-C", REPO, "rev-parse", "HEAD"])
    if head.returncode == changed.returncode == 0 and not changed.stdout.strip():
        found["gitCommit"] = head.stdout.strip()
    return found


def _dependency(uri: str, file: Deb | Wheel) -> dict[str, Any]:
    return {"uri": uri, "name": file.file_name, "digest": {"sha256": file.sha256}}


def _subject(name: str, digest: str, media_type: str) -> dict[str, Any]:
    algorithm, _, value = digest.partition(":")
    return {"name": name, "mediaType": media_type, "digest": {algorithm: value}}
