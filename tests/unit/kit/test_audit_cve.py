"""The audit against made-up databases, and against none."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scripts import matrix
from scripts.locks import debs
from scripts.locks.apt import Deb
from scripts.places import IMAGES
from scripts.vouch import audit_cve

OPENSSL = Deb("libssl3", "3.0.1-1+b1", "amd64", "a" * 64, 1, "x")


def bookworm(status: str, urgency: str = "", **more: str) -> dict[str, object]:
    """Make what the tracker says of a vulnerability."""
    return {"releases": {"bookworm": {"status": status, "urgency": urgency, **more}}}


TRACKER = {
    "openssl": {
        "CVE-1": bookworm("open", "high"),
        "CVE-2": bookworm("resolved", fixed_version="3.0.2-1~deb12u1"),
        "CVE-3": bookworm("resolved", fixed_version="3.0.1-1"),
        "CVE-4": bookworm("resolved", fixed_version="0"),
        "CVE-5": bookworm("open", "unimportant"),
        "CVE-6": {"releases": {"trixie": {"status": "open", "urgency": "high"}}},
        "CVE-7": bookworm("undetermined", "high"),
    },
    "not-in-the-image": {"CVE-8": bookworm("open")},
}
# Nothing listens there: the port is reserved, https://www.iana.org/assignments/port-numbers.
NOWHERE = "http://127.0.0.1:1"
AFFECTED = {
    "package": {"name": "werkzeug", "ecosystem": "PyPI"},
    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9.9"}]}],
}
VULNERABLE = {
    "vulns": [{"id": "GHSA-x", "aliases": ["CVE-9"], "summary": "made up", "affected": [AFFECTED]}]
}


class Osv(BaseHTTPRequestHandler):
    """Answers as OSV does, https://google.github.io/osv.dev/post-v1-query/."""

    def do_POST(self) -> None:
        """Know one vulnerability."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = VULNERABLE if asked["package"]["name"] == "werkzeug" else {}
        body = json.dumps(known).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        """Be the tracker."""
        body = json.dumps(TRACKER).encode()
        self.send_response(200 if self.path == "/tracker" else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Osv) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture(autouse=True)
def packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The image has one Debian package, of which the file is not needed."""
    monkeypatch.setattr(debs, "obtain", lambda *_, **__: debs.Obtained((OPENSSL,)))
    monkeypatch.setattr(debs, "source", lambda _: ("openssl", "3.0.1-1"))


@pytest.fixture
def tracker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "tracker.json"
    path.write_text(json.dumps(TRACKER))
    monkeypatch.setenv("CVE_TRACKER", str(path))
    return path


@pytest.mark.usefixtures("tracker")
def test_debian_counts_what_is_open_or_fixed_later() -> None:
    assert audit_cve.in_debian([OPENSSL], "bookworm") == [
        audit_cve.Finding("openssl", "3.0.1-1", "CVE-1", "", "high"),
        audit_cve.Finding("openssl", "3.0.1-1", "CVE-2", "3.0.2-1~deb12u1"),
    ]


def test_the_tracker_is_asked_by_its_address(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVE_TRACKER", f"{server}/tracker")
    assert len(audit_cve.in_debian([OPENSSL], "bookworm")) == 2


def test_the_wheels_are_asked_for_of_osv(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVE_OSV", f"{server}/v1/query")
    (found,) = audit_cve.in_wheels(IMAGES / "2.15-cpu")
    assert (found.package, found.vulnerability, found.fixed) == ("werkzeug", "CVE-9", "9.9")


@pytest.mark.usefixtures("tracker")
def test_what_is_found_is_shown_even_where_the_other_source_is_not_reached(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CVE_OSV", NOWHERE)
    assert audit_cve.audit(matrix.load().named("2.15-cpu")) == audit_cve.FOUND
    said = capsys.readouterr()
    assert "CVE-2" in said.out
    assert "2 known vulnerabilities, 1 of them with a fixed version" in said.err
    assert said.err.count("could not be reached") == 1


def test_what_cannot_be_reached_is_never_called_clean(
    tracker: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tracker.write_text(json.dumps({"other": {}}))
    monkeypatch.setenv("CVE_OSV", NOWHERE)
    assert audit_cve.audit(matrix.load().named("2.15-cpu")) == audit_cve.NOT_REACHED == 3
    said = capsys.readouterr().err
    assert (
        f"OSV database of Python packages could not be reached ({NOWHERE}: no connection)" in said
    )
    assert "not audited in full" in said
    assert "no known vulnerability" not in said


@pytest.mark.parametrize("place", [NOWHERE, "/no/such/file", "{server}/down", "{empty}"])
def test_a_tracker_that_gives_no_answer_is_not_reached(
    place: str, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").write_text("{}")
    place = place.format(server=server, empty=tmp_path / "empty")
    monkeypatch.setenv("CVE_TRACKER", place)
    with pytest.raises(audit_cve.NotReachedError, match=place):
        audit_cve.in_debian([OPENSSL], "bookworm")


def test_what_was_skipped_was_not_audited() -> None:
    with pytest.raises(audit_cve.NotReachedError, match="keras: no answer"):
        list(audit_cve.parse([{"name": "keras", "skip_reason": "no answer"}]))


def test_clean_is_clean(
    tracker: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tracker.write_text(json.dumps({"other": {}}))
    monkeypatch.setattr(audit_cve, "in_wheels", lambda _: [])
    assert audit_cve.audit(matrix.load().named("2.15-cpu")) == audit_cve.CLEAN
    assert "2.15-cpu: no known vulnerability" in capsys.readouterr().err
