"""`make audit-cve`: which known vulnerabilities there are, today, in what an image holds.

Debian's own security tracker answers for its packages, the OSV database for the wheels (through
pip-audit). What cannot be asked is said, and is never taken for "nothing known".
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from debian.debian_support import Version
from rich.console import Console
from rich.table import Table

from scripts.locks import debs
from scripts.locks.apt import Deb
from scripts.locks.lock import DEBS_LOCK, REQUIREMENTS_LOCK
from scripts.matrix import Chosen
from scripts.places import IMAGES
from scripts.processes import finish, last_words
from scripts.ui import say, stage, warn

# CVE_TRACKER and CVE_OSV may name others: a company's mirror, or a file of the tracker's data.
TRACKER = "https://security-tracker.debian.org/tracker/data/json"
OSV = "https://api.osv.dev/v1/query"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
CLEAN, FOUND, NOT_REACHED = 0, 1, 3
CONNECT_SECONDS, READ_SECONDS = 10, 120
WIDTH = 120


@dataclass(frozen=True, order=True)
class Finding:
    """A vulnerability in a package; `fixed` is the version without it, empty if there is none."""

    package: str
    version: str
    vulnerability: str
    fixed: str
    severity: str = ""


class NotReachedError(Exception):
    """A source of vulnerabilities could not be asked, or gave no answer that can be read."""


def audit(chosen: Chosen) -> int:
    """Print what is known to be vulnerable in an image.

    Args:
        chosen: which image; it need not be built.

    Returns:
        CLEAN, FOUND, or NOT_REACHED where a source could not be asked and the others know nothing.

    Raises:
        KitError: the image's Debian packages cannot be had.
    """
    tag, base = chosen.tag, chosen.base
    packages = debs.obtain(debs.read_lock(IMAGES / tag / DEBS_LOCK), base, release=False).debs
    found: list[Finding] = []
    reached = True
    sources: dict[str, Callable[[], list[Finding]]] = {
        "Debian's security tracker": lambda: in_debian(packages, base.codename),
        "the OSV database of Python packages": lambda: in_wheels(IMAGES / tag),
    }
    for name, ask in sources.items():
        try:
            with stage(f"{tag}: asking {name}"):
                found += ask()
        except NotReachedError as error:
            reached = False
            warn(f"{tag}: {name} could not be reached ({error}): nothing is known from there")
    if found:
        _show(tag, sorted(found))
        return FOUND
    if not reached:
        say(f"{tag}: not audited in full; run it again where the sources can be reached")
        return NOT_REACHED
    say(f"{tag}: no known vulnerability", style="bold green")
    return CLEAN


def in_debian(packages: Sequence[Deb], codename: str) -> list[Finding]:
    """Return what Debian's tracker knows of some packages of a release.

    Raises:
        NotReachedError: it did not answer.
    """
    known = _tracker(os.environ.get("CVE_TRACKER") or TRACKER)
    sources = {debs.source(deb) for deb in packages}
    return [
        finding
        for source, version in sorted(sources)
        for finding in _of_source(source, version, known.get(source, {}), codename)
    ]


def _tracker(place: str) -> dict[str, Any]:
    try:
        if "://" in place:
            answer = requests.get(
                place, timeout=(CONNECT_SECONDS, READ_SECONDS), verify=certificates()
            )
            answer.raise_for_status()
            known = answer.json()
        else:
            known = json.loads(Path(place).read_text())
    except (OSError, ValueError) as error:  # requests' own errors are OSErrors
        raise NotReachedError(f"{place}: {_reason(error)}") from error
    if not isinstance(known, dict) or not known:
        raise NotReachedError(f"{place}: not the tracker's data")
    return known


def _of_source(
    source: str, version: str, known: Mapping[str, Any], codename: str
) -> Iterator[Finding]:
    """Yield what is open in a source package, or closed by a later version than this.

    Debian calls a vulnerability unimportant that no package as Debian builds it can be hit by.
    https://security-team.debian.org/security_tracker.html#severity-levels
    """
    for vulnerability, entry in known.items():
        state = entry.get("releases", {}).get(codename)
        if not state or state.get("urgency") == "unimportant":
            continue
        fixed = str(state.get("fixed_version", ""))
        if state["status"] == "open":
            yield Finding(source, version, vulnerability, "", str(state.get("urgency", "")))
        elif state["status"] == "resolved" and Version(version) < Version(fixed or "0"):
            yield Finding(source, version, vulnerability, fixed, str(state.get("urgency", "")))


def in_wheels(home: Path) -> list[Finding]:
    """Return what OSV knows of the wheels in an image's lock.

    Args:
        home: the folder of the image's locks.

    Raises:
        NotReachedError: it did not answer for all of them.
    """
    done = finish(
        [
            *(sys.executable, "-m", "pip_audit"),
            *("--requirement", str(home / REQUIREMENTS_LOCK), "--require-hashes", "--disable-pip"),
            *("--vulnerability-service", "osv", "--osv-url", os.environ.get("CVE_OSV") or OSV),
            *("--format", "json", "--progress-spinner", "off", "--timeout", str(CONNECT_SECONDS)),
        ],
        env={**os.environ, **_ca_bundle()},
    )
    try:
        answer = json.loads(done.stdout)["dependencies"]
    except (ValueError, LookupError) as error:
        address = os.environ.get("CVE_OSV") or OSV
        raise NotReachedError(f"{address}: {_reason(last_words(done.stderr))}") from error
    return list(parse(answer))


def parse(answer: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Yield the findings in pip-audit's JSON.

    Raises:
        NotReachedError: it skipped a package.
    """
    for row in answer:
        if reason := row.get("skip_reason"):
            raise NotReachedError(f"{row['name']}: {reason}")
        for one in row["vulns"]:
            names = [one["id"], *one.get("aliases", [])]
            # The same thing goes by several names; the CVE's is the one that all have in common.
            name = next((name for name in names if name.startswith("CVE-")), one["id"])
            fixed = ", ".join(one.get("fix_versions", []))
            yield Finding(row["name"], row["version"], name, fixed)


def certificates() -> str | bool:
    """Return whom to trust: whom this machine trusts, a company's own authority included."""
    chosen = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
    return chosen or (CERTIFICATES if Path(CERTIFICATES).exists() else True)


def _ca_bundle() -> dict[str, str]:
    trusted = certificates()
    return {"REQUESTS_CA_BUNDLE": trusted} if isinstance(trusted, str) else {}


def _reason(error: object) -> str:
    """Return an error in a few words; that there is no connection takes the libraries many."""
    text = str(error)
    if isinstance(error, requests.ConnectionError) or "ConnectionError" in text:
        return "no connection"
    return (text.splitlines() or ["no reason given"])[0][:120]


def _show(tag: str, found: Sequence[Finding]) -> None:
    out = Console()
    if not out.is_terminal:
        out.width = WIDTH
    table = Table("package", "version", "vulnerability", "fixed in", "urgency")
    for one in found:
        table.add_row(one.package, one.version, one.vulnerability, one.fixed or "-", one.severity)
    out.print(table)
    mendable = sum(bool(one.fixed) for one in found)
    say(
        f"{tag}: {len(found)} known vulnerabilities, {mendable} of them with a fixed version; "
        f"`make lock IMAGE={tag}` takes what images/matrix.toml lets move",
        style="bold red",
    )
