"""How a registry learns who we are, and who never gets a password in clear."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from docker.auth import INDEX_NAME

from scripts import oci
from scripts.errors import KitError
from scripts.registry.api import Repository
from scripts.registry.login import api_host, authorization, host_of, is_loopback

THIS_MACHINE = [
    "localhost",
    "LocalHost:5000",
    "somebody:secret@localhost:5000",
    "127.0.0.1",
    "127.0.0.1:5000",
    "127.255.255.254:80",
    "[::1]",
    "[::1]:5000",
    "[0:0:0:0:0:0:0:1]",
]
NAMES = [
    "127.evil.example",
    "127.0.0.1.evil.example:5000",
    "127.0.0.1-evil.example",
    "127.",
    "localhost.evil.example",
    "LOCALHOST.evil.example:5000",
    "evil-localhost",
    "local",
    "registry.example",
]
# What stands before an @ is a user's name.
USERS = ["127.0.0.1@evil.example", "localhost:5000@evil.example", "[::1]@evil.example"]
# Another parser takes the second name for the host; the request goes to the first.
BACKSLASHES = [r"evil.example\@127.0.0.1", r"evil.example\@localhost:5000"]
# A resolver may make this machine of them, or anything else: https does no harm.
SHORT_FORMS = [
    "127.1",
    "127.0.1:5000",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.0.0.01",
    "localhost.",
]
ADDRESSES = ["128.0.0.1", "12.7.0.1", "[::2]", "[::]:5000", "[::127.0.0.1]", "10.0.0.127"]
NO_HOSTS = ("", "::1", "[::1", "127.0.0.1:80:90", "127.0.0.1 evil.example")
ANOTHER = (*NAMES, *USERS, *BACKSLASHES, *SHORT_FORMS, *ADDRESSES, *NO_HOSTS)


@pytest.mark.parametrize("host", THIS_MACHINE)
def test_this_machine_is_known_however_it_is_written(host: str) -> None:
    assert is_loopback(host_of(f"//{host}"))
    assert is_loopback(host_of(f"http://{host}/token"))


@pytest.mark.parametrize("host", ANOTHER)
def test_no_other_is_taken_for_it(host: str) -> None:
    assert not is_loopback(host_of(f"//{host}"))
    assert not is_loopback(host_of(f"http://{host}/token"))


@pytest.mark.parametrize("registry", ["127.evil.example", "localhost.evil.example:5000"])
def test_a_registry_elsewhere_is_asked_over_https(
    registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse(_: requests.Session, __: str, url: str, **___: object) -> None:
        asked.append(url)
        raise requests.ConnectionError

    monkeypatch.setattr(requests.Session, "request", refuse)
    with pytest.raises(KitError, match="does not answer"):
        Repository(registry, "org/x").manifest("1")
    assert asked == [f"https://{registry}/v2/org/x/manifests/1"]


@pytest.mark.parametrize("host", ANOTHER)
def test_no_password_goes_elsewhere_in_clear(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    write_login(tmp_path, "registry.example")
    monkeypatch.setattr(requests.Session, "request", lambda *_, **__: pytest.fail("it was sent"))
    for scheme in ("http", "HTTP"):
        challenge = f'Bearer realm="{scheme}://{host}/token",service="test"'
        with pytest.raises(KitError, match="no password goes to"):
            authorization(requests.Session(), "registry.example", challenge)


def write_login(folder: Path, registry: str) -> None:
    """Leave what `docker login` leaves."""
    pair = base64.b64encode(b"somebody:secret").decode()
    (folder / "config.json").write_text(json.dumps({"auths": {registry: {"auth": pair}}}))


class TokenRegistry(BaseHTTPRequestHandler):
    """A registry that has one manifest, for whoever brings the token that its service gives."""

    def do_GET(self) -> None:
        """Answer."""
        login = base64.b64encode(b"somebody:secret").decode()
        host = self.headers["Host"]
        if self.path.startswith("/token"):
            known = self.headers.get("Authorization") == f"Basic {login}"
            wanted = "/token?service=test&scope=repository%3Aorg%2Fx%3Apull"
            self._answer(200 if known and self.path == wanted else 401, {"token": "abc"})
        elif self.headers.get("Authorization") == "Bearer abc":
            self._answer(200, {"schemaVersion": 2})
        else:
            realm = f'realm="http://{host}/token",service="test",scope="repository:org/x:pull"'
            self._answer(401, {}, {"WWW-Authenticate": f"Bearer {realm}"})

    def _answer(self, status: int, content: object, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": oci.MANIFEST, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def token_registry() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), TokenRegistry) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_registry_that_wants_a_token_gets_one(
    token_registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    repository = Repository(token_registry, "org/x")
    with pytest.raises(KitError, match=f"gives no token .401.; `docker login {token_registry}`"):
        repository.manifest("1")
    write_login(tmp_path, token_registry)
    found = repository.manifest("1")
    assert found
    assert found.json == {"schemaVersion": 2}


def test_dockers_own_registry_is_called_otherwise_than_its_host() -> None:
    assert api_host("registry.example:5000") == "registry.example:5000"
    assert api_host(INDEX_NAME) not in {INDEX_NAME, ""}
