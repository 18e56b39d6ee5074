"""Debian packages come from the cache, the dated archive or the mirror: here, small local ones."""

import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.build import rootfs
from scripts.digests import sha256
from scripts.errors import KitError
from scripts.locks import debs
from scripts.locks.apt import Deb
from scripts.matrix import Base

BASE = Base(codename="bookworm", python="3.11", packages=("tool",))

pytestmark = pytest.mark.skipif(
    not shutil.which("apt-get"), reason="the kit builds on hosts with apt, and this is none"
)


class Mirror:
    """A Debian repository in a folder, as a live mirror or a dated archive."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def publish(
        self, name: str, version: str, *, essential: bool = False, depends: str = ""
    ) -> Deb:
        """Build a package and put it into the repository; the index lists it at once."""
        tree = self.folder.parent / f"{name}-{version}"
        (tree / "DEBIAN").mkdir(parents=True)
        control = (
            f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: x <x@x>\n"
            f"Description: a test\nPriority: {'required' if essential else 'optional'}\n"
        )
        control += "Essential: yes\n" if essential else ""
        control += f"Depends: {depends}\n" if depends else ""
        (tree / "DEBIAN/control").write_text(control)
        path = self.folder / f"{name}_{version}_all.deb"
        subprocess.run(["dpkg-deb", "-b", tree, path], check=True, capture_output=True)
        return self.index_of(path)

    def index_of(self, path: Path) -> Deb:
        """Write the index anew and return the package of `path` as a lock names it."""
        rows = []
        for deb in sorted(self.folder.glob("*.deb")):
            fields = subprocess.run(
                ["dpkg-deb", "-f", deb], check=True, capture_output=True, text=True
            ).stdout
            rows.append(
                f"{fields}Filename: ./{deb.name}\n"
                f"Size: {deb.stat().st_size}\nSHA256: {sha256(deb)}\n"
            )
        (self.folder / "Packages").write_text("\n".join(rows))
        name, version, arch = path.stem.split("_")
        return Deb(name, version, arch, sha256(path), path.stat().st_size, path.name)

    @property
    def source_line(self) -> str:
        """Its line in sources.list."""
        return f"deb [trusted=yes] copy:{self.folder} ./\n"


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    live = Mirror(tmp_path / "mirror")
    sources = tmp_path / "sources.list"
    sources.write_text(live.source_line)
    monkeypatch.setenv("DEB_SOURCES", str(sources))
    return live


@pytest.fixture
def locked(mirror: Mirror) -> list[Deb]:
    """A base of three packages, locked from the mirror as it is now."""
    mirror.publish("core", "1.0", essential=True)
    mirror.publish("apt", "2.6", essential=True)
    mirror.publish("tool", "1.0", depends="core")
    live = debs.sources(BASE)
    return [debs.relative(deb, live) for deb in debs.resolve(BASE, live)]


def supersede(mirror: Mirror, old: Deb, version: str) -> None:
    """Do what a security update does: the new version comes, the old one is gone."""
    (mirror.folder / old.file_name).unlink()
    mirror.publish(old.name, version, essential=old.name != "tool")


def test_the_lock_names_the_whole_closure(locked: list[Deb]) -> None:
    assert [deb.name for deb in locked] == ["apt", "core", "tool"]
    assert all("/" not in deb.location for deb in locked)


def test_locked_packages_are_taken_from_the_mirror_once(locked: list[Deb], mirror: Mirror) -> None:
    assert debs.obtain(locked, BASE, release=True).debs == tuple(locked)
    shutil.rmtree(mirror.folder)
    assert debs.obtain(locked, BASE, release=True).drift == ()


def test_a_mirror_that_serves_other_bytes_stops_the_build(
    locked: list[Deb], mirror: Mirror
) -> None:
    served = mirror.folder / locked[2].file_name
    content = bytearray(served.read_bytes())
    content[-1] ^= 1
    served.write_bytes(content)
    with pytest.raises(KitError) as caught:
        debs.obtain(locked, BASE, release=False)
    message = str(caught.value)
    assert message.startswith(f"{served.name}: expected sha256 {locked[2].sha256}, found ")
    assert sha256(served) in message


def test_a_cached_package_with_one_byte_changed_stops_the_build(locked: list[Deb]) -> None:
    debs.obtain(locked, BASE, release=True)
    path = debs.cached(locked[0])
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(KitError) as caught:
        debs.obtain(locked, BASE, release=True)
    assert str(caught.value).startswith(f"{path}: expected sha256 {locked[0].sha256}, found ")


def test_a_superseded_package_stops_a_release_build(locked: list[Deb], mirror: Mirror) -> None:
    supersede(mirror, locked[1], "1.1")
    with pytest.raises(
        KitError, match=r"1 locked .* nowhere to be had: core 1\.0; run `make lock`"
    ):
        debs.obtain(locked, BASE, release=True)


def test_a_superseded_package_drifts_a_development_build(
    locked: list[Deb], mirror: Mirror, capsys: pytest.CaptureFixture[str]
) -> None:
    supersede(mirror, locked[1], "1.1")
    mirror.publish("tool", "1.1", depends="core")  # newer, but the locked one is still there
    obtained = debs.obtain(locked, BASE, release=False)
    assert obtained.drift == ("core 1.0 -> 1.1",)
    assert [deb.version for deb in obtained.debs] == ["2.6", "1.1", "1.0"]
    assert all(sha256(debs.cached(deb)) == deb.sha256 for deb in obtained.debs)
    assert "marked as drifted: core 1.0 -> 1.1" in capsys.readouterr().err


def test_what_a_superseding_package_needs_anew_comes_along(
    locked: list[Deb], mirror: Mirror
) -> None:
    (mirror.folder / locked[2].file_name).unlink()
    mirror.publish("extra", "5")
    mirror.publish("tool", "2.0", depends="core, extra")
    obtained = debs.obtain(locked, BASE, release=False)
    assert obtained.drift == ("extra (new) -> 5", "tool 1.0 -> 2.0")


def test_the_dated_archive_is_asked_before_the_mirror(
    locked: list[Deb], mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(mirror.folder, tmp_path / "archive")
    supersede(mirror, locked[1], "1.1")
    monkeypatch.setenv("DEB_ARCHIVE", f"copy:{tmp_path / 'archive'}")
    assert debs.obtain(locked, BASE, release=True).drift == ()


def test_the_cache_is_asked_before_all(locked: list[Deb], mirror: Mirror) -> None:
    debs.obtain(locked, BASE, release=True)
    supersede(mirror, locked[1], "1.1")
    assert debs.obtain(locked, BASE, release=True).drift == ()


def test_a_mirror_that_is_away_is_one_clear_line(locked: list[Deb], mirror: Mirror) -> None:
    shutil.rmtree(mirror.folder)
    with pytest.raises(KitError, match="the Debian mirror did not answer"):
        debs.obtain(locked, BASE, release=False)


def test_a_sources_file_that_is_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.list"
    broken.write_text("# mine\nfrom here\n")
    monkeypatch.setenv("DEB_SOURCES", str(broken))
    with pytest.raises(KitError, match=r"broken\.list:2: not a `deb"):
        debs.sources(BASE)


def test_the_root_file_system_is_kept_by_all_that_makes_it(locked: list[Deb]) -> None:
    one = rootfs.key(locked, BASE, 0)
    assert rootfs.key(list(reversed(locked)), BASE, 0) == one
    assert rootfs.key(locked[1:], BASE, 0) != one
    assert rootfs.key(locked, BASE, 1) != one
