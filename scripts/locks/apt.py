"""A private apt: it resolves and downloads Debian packages without touching the host's own state.

It serves three masters: the lock of an image's base, the download of what a lock names, and the
private engine. The host's apt configuration stays in force for what it should decide, proxies
above all; sources, lists, cache and the set of installed packages are ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from scripts.errors import KitError
from scripts.places import data_folder, locked
from scripts.processes import require_program, run

HOST_STATUS = Path("/var/lib/dpkg/status")
APT_HELPER = Path("/usr/lib/apt/apt-helper")
# One line of `apt-get --print-uris`: 'uri' name_version_arch.deb size SHA256:hash
PRINTED = re.compile(
    r"^'(?P<uri>[^']+)' (?P<file>\S+) (?P<size>\d+) SHA256:(?P<sha256>[0-9a-f]{64})$"
)


@dataclass(frozen=True, order=True)
class Deb:
    """One Debian package file.

    `size` is in bytes; `location` is a full address where apt resolved it, and in a lock the path
    below a repository's root, for a lock names no mirror.
    """

    name: str
    version: str
    arch: str
    sha256: str
    size: int
    location: str

    @property
    def file_name(self) -> str:
        """The name in the cache: name_version_arch.deb, an epoch's colon kept as %3a like apt."""
        return f"{self.name}_{self.version.replace(':', '%3a')}_{self.arch}.deb"


@dataclass(frozen=True)
class Source:
    """One line of sources.list: the repository's root, the suite in it, the components."""

    root: str
    suite: str
    components: str = "main"
    options: str = ""

    @property
    def line(self) -> str:
        """The line as sources.list(5) has it."""
        options = f"[{self.options}] " if self.options else ""
        return f"deb {options}{self.root} {self.suite} {self.components}".rstrip()


def read_sources(path: Path) -> list[Source]:
    """Read the `deb` lines of a sources.list file in the one-line style.

    Raises:
        KitError: the file cannot be read, or a line of it is something else.
    """
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise KitError(
            f"{path}: {error.strerror} (a file of `deb <root> <suite> main` lines)"
        ) from error
    sources = []
    for number, line in enumerate(lines, 1):
        if not (text := line.split("#")[0].strip()):
            continue
        match = re.fullmatch(r"deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*)", text)
        if not match:
            raise KitError(f"{path}:{number}: not a `deb <root> <suite> <components>` line: {text}")
        options, root, suite, components = match.groups()
        sources.append(Source(root, suite, components, options or ""))
    return sources


def host_sources(codename: str) -> list[Source]:
    """Return the Debian repositories of `codename` and its updates that the host's apt uses.

    The kit names no mirror of its own: it takes the one that this machine's owner chose. The
    host's package lists are left alone, they may be missing or old: ours are fetched once.

    Raises:
        KitError: there is no apt, or it knows no Debian repository of that name.
    """
    require_program(
        "apt-get", "the kit builds on Debian and Ubuntu hosts; run it on one, or in a VM"
    )
    # Apt waits for nobody who fetches the same lists, and reads what is half there.
    with locked(data_folder("apt-lists")):
        if not (sources := _known_sources(codename)):
            # A repository of somebody else's that does not answer is not our concern: no check.
            run(["apt-get", *_own_lists(), "update"], error="the Debian mirror did not answer")
            sources = _known_sources(codename)
    if not sources:
        raise KitError(
            f"this machine's apt reaches no Debian {codename}; check the network and its "
            "sources.list, or pass DEB_SOURCES=FILE, a sources.list that names a mirror"
        )
    return sources


def host_codename() -> str:
    """Return the host's Debian release, as in `bookworm`."""
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.split("=")[1].strip('"')
    raise KitError("/etc/os-release names no VERSION_CODENAME; the kit builds on Debian hosts")


def _own_lists() -> list[str]:
    lists = data_folder("apt-lists")
    (lists / "partial").mkdir(exist_ok=True)
    return [f"-oDir::State::lists={lists}", "-oAPT::Sandbox::User=root"]


def _known_sources(codename: str) -> list[Source]:
    fields = "$(CREATED_BY)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)"
    sources = []
    for line in run(["apt-get", *_own_lists(), "indextargets", "--format", fields]).splitlines():
        kind, root, suite, component, origin = line.split("|")
        wanted = suite == codename or suite.startswith(f"{codename}-")
        if kind == "Packages" and origin == "Debian" and wanted and component == "main":
            sources.append(Source(root.rstrip("/"), suite))
    return list(dict.fromkeys(sources))


class Apt:
    """apt-get over the sources given, with lists, cache and status of its own under `home`."""

    def __init__(self, home: Path, sources: Sequence[Source], status: Path | None = None) -> None:
        """Prepare the folder.

        Args:
            home: a folder of its own.
            sources: where packages come from.
            status: what counts as installed, a dpkg status file; nothing by default.
        """
        for folder in ("lists/partial", "cache/archives/partial"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        (home / "sources.list").write_text("".join(f"{source.line}\n" for source in sources))
        (home / "status").touch()
        (home / "preferences").touch()
        self.home = home
        self._options = [
            f"-oDir::State::status={status or home / 'status'}",
            f"-oDir::State::lists={home / 'lists'}",
            f"-oDir::Cache={home / 'cache'}",
            f"-oDir::Etc::sourcelist={home / 'sources.list'}",
            "-oDir::Etc::sourceparts=/dev/null",
            f"-oDir::Etc::preferences={home / 'preferences'}",
            "-oDir::Etc::preferencesparts=/dev/null",
            # Without it the hashes are missing wherever MD5 is what the index lists first.
            "-oAcquire::ForceHash=SHA256",
            "-oAcquire::Languages=none",
            "-oAPT::Install-Recommends=false",
            # Our folders are not readable for the user _apt, and need not be.
            "-oAPT::Sandbox::User=root",
        ]

    def update(self) -> None:
        """Fetch the package lists; a source that does not answer raises KitError."""
        run(
            ["apt-get", *self._options, "-oAPT::Update::Error-Mode=any", "update"],
            error="the Debian mirror did not answer `apt-get update`",
        )

    def prefer(self, debs: Iterable[Deb]) -> None:
        """Make apt take exactly these versions where it can get them, even as a downgrade."""
        pins = (
            f"Package: {deb.name}\nPin: version {deb.version}\nPin-Priority: 1001\n" for deb in debs
        )
        (self.home / "preferences").write_text("\n".join(pins))

    def closure(self, packages: Sequence[str]) -> list[Deb]:
        """Return what `apt-get install packages` would install, dependencies included, sorted."""
        printed = run(["apt-get", *self._options, "install", "-y", "--print-uris", *packages])
        return _parse(printed)

    def candidates(self, packages: Sequence[str]) -> list[Deb]:
        """Return the current versions of these packages alone, without their dependencies."""
        return _parse(run(["apt-get", *self._options, "download", "--print-uris", *packages]))


def _parse(printed: str) -> list[Deb]:
    debs = []
    for line in printed.splitlines():
        if match := PRINTED.match(line):
            # name_version_arch.deb: the parts are quoted, so an underscore only separates.
            name, version, arch = unquote(match["file"]).removesuffix(".deb").split("_")
            debs.append(Deb(name, version, arch, match["sha256"], int(match["size"]), match["uri"]))
    return sorted(debs)


def download(items: Sequence[tuple[str, Path, str]]) -> None:
    """Download files with apt's own methods (http, file, copy, proxies), hashes checked.

    Args:
        items: address, target and SHA-256 of each.

    Raises:
        KitError: one could not be had; the others may have arrived.
    """
    argv = [arg for uri, target, sha in items for arg in (uri, target, f"SHA256:{sha}")]
    run([APT_HELPER, "-oAPT::Sandbox::User=root", "download-file", *argv])
