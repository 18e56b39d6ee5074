"""The lock of an image's Python packages: written, read, and turned into verified wheels.

It is a requirements file that pip reads, with exactly one hash a package: the one wheel that fits
the image's interpreter. Nothing is ever built from source, and no other file can take its place.
"""

from __future__ import annotations

import email
import email.message
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

from scripts.errors import KitError
from scripts.locks.cache import holds
from scripts.locks.lock_file import rows_of
from scripts.matrix import Base
from scripts.places import data_folder, scratch
from scripts.processes import last_words, run, start
from scripts.ui import download_bar

# glibc of the base decides which wheels its loader can run: bookworm has 2.36. PEP 600.
GLIBC_MINOR = 36
# pip matches these names literally, so every older one is named too; PEP 599, 571 and 513 are the
# names from before PEP 600.
PLATFORMS = (
    *(f"manylinux_2_{minor}_x86_64" for minor in range(GLIBC_MINOR, 4, -1)),
    *("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"),
)
ROW = re.compile(
    r"^(?P<name>\S+)==(?P<version>\S+) --hash=sha256:(?P<sha256>[0-9a-f]{64})"
    r"  # (?P<file>\S+\.whl) (?P<size>\d+)$"
)
# A killed download starts again with the batch that it was in.
BATCH_BYTES = 64_000_000


@dataclass(frozen=True, order=True)
class Wheel:
    """One wheel; `size` is in bytes."""

    name: str
    version: str
    sha256: str
    file_name: str
    size: int

    @property
    def row(self) -> str:
        """Its line in the lock."""
        return (
            f"{self.name}=={self.version} --hash=sha256:{self.sha256}"
            f"  # {self.file_name} {self.size}"
        )


def uv_compile(base: Base) -> list[str]:
    """Return the command that resolves what its stdin asks for, for the image's interpreter."""
    return [
        *(sys.executable, "-m", "uv", "pip", "compile", "-", "--quiet"),
        *("--python-version", base.python),
        *("--python-platform", f"x86_64-manylinux_2_{GLIBC_MINOR}"),
    ]


def resolve(requirements: Sequence[str], base: Base) -> list[Wheel]:
    """Ask uv which wheels the index has for an image's requirements, as of now.

    Raises:
        KitError: the requirements contradict each other, or a package has no wheel that fits.
    """
    with scratch() as work:
        lock = work / "pylock.toml"
        run(
            [
                *(*uv_compile(base), "--only-binary", ":all:"),
                *("--format", "pylock.toml", "--output-file", lock),
            ],
            stdin="\n".join(requirements),
            error=f"uv cannot resolve {', '.join(requirements)}",
        )
        packages = tomllib.loads(lock.read_text())["packages"]
    ranked = {tag: rank for rank, tag in enumerate(supported(base))}
    return sorted(best(package, ranked) for package in packages)


def supported(base: Base) -> Iterator[Tag]:
    """Yield the wheel tags that the image's interpreter takes, best first."""
    major, minor = (int(part) for part in base.python.split("."))
    yield from cpython_tags((major, minor), platforms=PLATFORMS)
    yield from compatible_tags((major, minor), f"cp{major}{minor}", PLATFORMS)


def best(package: Mapping[str, object], ranked: Mapping[Tag, int]) -> Wheel:
    """Return, of a package's wheels in pylock.toml, the one that pip would install.

    Raises:
        KitError: none of them fits.
    """
    found = []
    wheels = package.get("wheels", [])
    assert isinstance(wheels, list)
    for wheel in wheels:
        file_name = wheel["url"].rsplit("/", 1)[-1].replace("%2B", "+")
        ranks = [ranked[tag] for tag in parse_wheel_filename(file_name)[3] if tag in ranked]
        if ranks:
            found.append((min(ranks), file_name, wheel))
    if not found:
        raise KitError(f"{package['name']}=={package['version']}: no wheel fits the image's Python")
    _, file_name, wheel = min(found, key=lambda one: one[:2])
    return Wheel(
        name=str(package["name"]),
        version=str(package["version"]),
        sha256=wheel["hashes"]["sha256"],
        file_name=file_name,
        size=wheel["size"],
    )


def write_lock(path: Path, tag: str, base: Base, wheels: Sequence[Wheel]) -> None:
    """Write the lock; `read_lock` and pip read it."""
    rows = "".join(f"{wheel.row}\n" for wheel in sorted(wheels))
    path.write_text(
        f"# Made by `make lock IMAGE={tag}` from images/matrix.toml; do not edit.\n"
        f"# Python {base.python}, x86-64, glibc 2.{GLIBC_MINOR}: one wheel a line, and its bytes.\n"
        f"{rows}"
    )


def read_lock(path: Path) -> tuple[Wheel, ...]:
    """Read a lock.

    Raises:
        KitError: it is not there, or a line is not of the form that `write_lock` writes.
    """
    wheels = []
    for number, line in rows_of(path):
        if not (row := ROW.match(line)):
            raise KitError(
                f"{path}:{number}: not a line of a requirements lock; `make lock` writes it"
            )
        wheels.append(
            Wheel(row["name"], row["version"], row["sha256"], row["file"], int(row["size"]))
        )
    return tuple(wheels)


def cached(wheel: Wheel) -> Path:
    """Return the place of a wheel in the cache."""
    return data_folder("wheels") / wheel.file_name


def metadata(wheel: Wheel) -> email.message.Message:
    """Return the METADATA of a wheel in the cache, of which there is one at the top."""
    with zipfile.ZipFile(cached(wheel)) as archive:
        (name,) = (
            name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)
        )
        return email.message_from_bytes(archive.read(name))


def obtain(locked: Sequence[Wheel], base: Base) -> None:
    """Bring every locked wheel into the cache, verified.

    Raises:
        KitError: one is not to be had, or its bytes are not those of the lock.
    """
    missing = [wheel for wheel in locked if not holds(cached(wheel), wheel.sha256)]
    if not missing:
        return
    with download_bar("Python wheels", sum(wheel.size for wheel in missing)) as bar:
        for batch in _batches(missing):
            _download(batch, base, lambda n_bytes: bar.advance(bar.task_ids[0], n_bytes))


def _batches(wheels: Sequence[Wheel]) -> Iterator[list[Wheel]]:
    batch: list[Wheel] = []
    for wheel in sorted(wheels, key=lambda one: one.size):
        batch.append(wheel)
        if sum(one.size for one in batch) > BATCH_BYTES:
            yield batch
            batch = []
    if batch:
        yield batch


def _download(batch: Sequence[Wheel], base: Base, progress: Callable[[int], None]) -> None:
    """Have pip download a batch from its own index; all of it moves into the cache, or none."""
    with scratch() as work:
        (work / "requirements.txt").write_text("".join(f"{wheel.row}\n" for wheel in batch))
        (work / "wheels").mkdir()
        argv = [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--progress-bar=raw"),
            *("--no-deps", "--require-hashes", "--only-binary=:all:", "--no-cache-dir"),
            *("--implementation", "cp", "--python-version", base.python),
            *(f"--platform={platform}" for platform in PLATFORMS),
            *("--requirement", str(work / "requirements.txt"), "--dest", str(work / "wheels")),
        ]
        complaints = work / "complaints"
        with (
            complaints.open("w") as stderr,
            start(argv, stdout=subprocess.PIPE, stderr=stderr, text=True) as pip,
        ):
            assert pip.stdout is not None
            _report(pip.stdout, progress)
        if pip.returncode:
            raise KitError(_explain(complaints.read_text(), batch))
        for wheel in batch:
            (work / "wheels" / wheel.file_name).rename(cached(wheel))


def _report(lines: Iterable[str], progress: Callable[[int], None]) -> None:
    """Turn pip's raw progress (`Progress 1024 of 4096`, a count for each file) into steps."""
    before = 0
    for line in lines:
        if line.startswith("Progress "):
            now = int(line.split()[1])
            progress(now - before if now >= before else now)
            before = now


def _explain(complaints: str, batch: Sequence[Wheel]) -> str:
    """Say in one line what pip says in many."""
    mismatch = re.search(
        r"^\s*(\S+)==\S+ from .*\n\s*Expected sha256 (\w+)\n\s*Got\s+(\w+)",
        complaints,
        re.MULTILINE,
    )
    if mismatch:
        name, expected, found = mismatch.groups()
        wheel = next(one for one in batch if one.sha256 == expected)
        return (
            f"{wheel.file_name}: expected sha256 {expected}, found {found}: the package index "
            f"serves another file for {name} than the lock names"
        )
    if "Could not find a version" in complaints or "No matching distribution" in complaints:
        missing = re.search(r"No matching distribution found for (\S+)", complaints)
        wanted = missing[1] if missing else batch[0].name
        return (
            f"the package index does not have {wanted}; check the network (behind a company proxy: "
            "HTTPS_PROXY, SSL_CERT_FILE) and pip's index, then run the same command again"
        )
    return f"pip could not download the locked wheels: {last_words(complaints)}"
