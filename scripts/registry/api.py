"""A registry's HTTP API: the blobs, manifests and tags of one repository.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import urljoin

import requests

from scripts import oci
from scripts.digests import digest_of
from scripts.errors import KitError
from scripts.registry.login import SECONDS, api_host, authorization, host_of, is_loopback

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
ACCEPTED = ", ".join((oci.MANIFEST, oci.INDEX, DOCKER_MANIFEST, DOCKER_INDEX))
# How often one blob is begun anew where the connection breaks.
ATTEMPTS = 3
CHUNK = 1 << 20

# A content descriptor, as the image specification writes it: mediaType, digest, size, and more.
# https://github.com/opencontainers/image-spec/blob/main/descriptor.md
Descriptor = Mapping[str, Any]


class BrokenError(KitError):
    """The registry does not answer, or it broke down: the same may succeed in a moment."""


@dataclass(frozen=True)
class Manifest:
    """A manifest or an index as the registry has it."""

    content: bytes
    media_type: str

    @property
    def digest(self) -> str:
        """What it is pulled by."""
        return digest_of(self.content)

    @property
    def json(self) -> dict[str, Any]:
        """What it says."""
        parsed: dict[str, Any] = json.loads(self.content)
        return parsed

    @property
    def descriptor(self) -> Descriptor:
        """How others refer to it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.content)}


class Repository:
    """One repository of a registry; it asks for what it needs, and logs in when it is told to."""

    def __init__(self, registry: str, name: str) -> None:
        """Connect to nothing yet.

        Args:
            registry: host, with a port if need be; plain http where it is this machine.
            name: of the repository in it, as in `org/tf-repro`.
        """
        self.registry, self.name = registry, name
        scheme = "http" if is_loopback(host_of(f"//{registry}")) else "https"
        self._base = f"{scheme}://{api_host(registry)}/v2/{name}/"
        self._session = requests.Session()
        # Where this machine's own programs look for certificates, a company's among them.
        found = ssl.get_default_verify_paths()
        self._session.verify = found.cafile or found.capath or True

    def __str__(self) -> str:
        return f"{self.registry}/{self.name}"

    def has_blob(self, digest: str) -> bool:
        """Tell whether the repository has a blob."""
        return self._ask("HEAD", f"blobs/{digest}", missing=True).ok

    def push_blob(
        self, path: Path, digest: str, on_bytes: Callable[[int], object] = lambda _: None
    ) -> None:
        """Upload a file, in one piece; the registry checks that it is the blob of this digest.

        Args:
            path: the file.
            digest: of its content.
            on_bytes: called with the number of bytes each time that some have gone.

        Raises:
            KitError: the registry does not take it, or the connection breaks time and again.
        """
        for left in reversed(range(ATTEMPTS)):
            try:
                return self._upload(path, digest, on_bytes)
            except BrokenError:
                if not left:
                    raise
        return None

    def push_bytes(self, content: bytes) -> Descriptor:
        """Upload a small blob unless it is there; return its digest and size."""
        digest = digest_of(content)
        if not self.has_blob(digest):
            where = self._start_upload()
            self._ask("PUT", where, params={"digest": digest}, data=content)
        return {"digest": digest, "size": len(content)}

    def _upload(self, path: Path, digest: str, on_bytes: Callable[[int], object]) -> None:
        where = self._start_upload()
        with path.open("rb") as file:
            body = _Watched(file, path.stat().st_size, on_bytes)
            self._ask("PUT", where, params={"digest": digest}, data=body)

    def _start_upload(self) -> str:
        return self._ask("POST", "blobs/uploads/").headers["Location"]

    @contextmanager
    def blob(self, digest: str) -> Iterator[IO[bytes]]:
        """Open a blob to read as much of it as is needed; its digest is not checked."""
        answer = self._ask("GET", f"blobs/{digest}", stream=True)
        try:
            yield cast("IO[bytes]", answer.raw)
        finally:
            answer.close()

    def read_blob(self, digest: str) -> bytes:
        """Return a small blob, checked against its digest."""
        content = self._ask("GET", f"blobs/{digest}").content
        return self._checked(content, digest)

    def manifest(self, reference: str) -> Manifest | None:
        """Return what a tag or a digest names, None if there is no such thing."""
        answer = self._ask(
            "GET", f"manifests/{reference}", missing=True, headers={"Accept": ACCEPTED}
        )
        if not answer.ok:
            return None
        if ":" in reference:
            self._checked(answer.content, reference)
        media_type = answer.headers.get("Content-Type", "").partition(";")[0]
        return Manifest(answer.content, media_type)

    def config(self, manifest: Manifest) -> dict[str, Any]:
        """Return the configuration of an image."""
        parsed: dict[str, Any] = json.loads(self.read_blob(manifest.json["config"]["digest"]))
        return parsed

    def put_manifest(self, manifest: Manifest, reference: str = "") -> bool:
        """Push a manifest under a tag, or by its digest alone.

        What it names has to be there already.

        Returns:
            Whether the registry itself keeps the list of what refers to its subject.
        """
        answer = self._ask(
            "PUT",
            f"manifests/{reference or manifest.digest}",
            headers={"Content-Type": manifest.media_type},
            data=manifest.content,
        )
        return "OCI-Subject" in answer.headers

    def referrers_index(self, digest: str) -> Manifest | None:
        """Return the registry's own list of what refers to a digest, None if it keeps none."""
        answer = self._ask("GET", f"referrers/{digest}", missing=True)
        if answer.ok and answer.headers.get("Content-Type", "").startswith(oci.INDEX):
            return Manifest(answer.content, oci.INDEX)
        return None

    def _checked(self, content: bytes, digest: str) -> bytes:
        if digest_of(content) != digest:
            raise KitError(
                f"{self}: asked for {digest}, it gave {digest_of(content)}: not to be trusted"
            )
        return content

    def _ask(
        self,
        method: str,
        path: str,
        *,
        missing: bool = False,
        **options: Any,  # noqa: ANN401 - what `requests` takes
    ) -> requests.Response:
        """Send a request, with a login if the registry wants one; KitError is its refusal.

        Args:
            method: of HTTP.
            path: below the repository's address, or an address that the registry gave.
            missing: whether 404 is an answer like others.
            options: of the request.
        """
        where = urljoin(self._base, path)
        try:
            answer = self._session.request(method, where, timeout=SECONDS, **options)
            # A body that is half gone cannot be sent a second time.
            again = not isinstance(options.get("data"), _Watched)
            if answer.status_code == requests.codes.unauthorized and again:
                challenge = answer.headers.get("WWW-Authenticate", "")
                header = authorization(self._session, self.registry, challenge)
                self._session.headers["Authorization"] = header
                answer = self._session.request(method, where, timeout=SECONDS, **options)
        except requests.exceptions.SSLError as error:
            raise KitError(
                f"{self.registry}: {_reason(error)}; name its certificate in SSL_CERT_FILE"
            ) from error
        except requests.RequestException as error:
            raise BrokenError(
                f"{self.registry}: the registry does not answer: {_reason(error)}; run the same "
                "command again when it does, it goes on from there"
            ) from error
        if answer.ok or (missing and answer.status_code == requests.codes.not_found):
            return answer
        kind = BrokenError if answer.status_code >= requests.codes.server_error else KitError
        raise kind(self._refusal(method, path, answer))

    def _refusal(self, method: str, path: str, answer: requests.Response) -> str:
        try:
            first = answer.json()["errors"][0]
            reason = f"{first.get('code')}: {first.get('message')}"
        except (ValueError, LookupError, AttributeError):
            reason = answer.reason
        line = f"{self}: {method} {path.partition('?')[0]}: {answer.status_code} {reason}"
        if answer.status_code in {requests.codes.unauthorized, requests.codes.forbidden}:
            line += f"; `docker login {self.registry}` as somebody who may do that"
        return line


class _Watched:
    """A file that says how much of it was read; `requests` sends it with its length."""

    def __init__(self, file: IO[bytes], size: int, on_bytes: Callable[[int], object]) -> None:
        self._file, self._size, self._on_bytes = file, size, on_bytes

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        part = self._file.read(CHUNK if size < 0 else max(size, CHUNK))
        self._on_bytes(len(part))
        return part


def _reason(error: requests.RequestException) -> str:
    inner = error.args[0] if error.args else error
    return str(getattr(inner, "reason", inner))[:200]
