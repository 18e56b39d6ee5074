"""What is installed in an environment, by the RECORD files of its distributions.

`python -m tf_repro.doctor.records SITE_PACKAGES` writes what is there as JSON. A step of the
Dockerfile keeps that in the image, after all is installed and trimmed, as `tf-repro doctor --files`
finds by it what is no longer so: pip writes the RECORD anew with whatever it installs.
https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

import csv
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

# Who installs writes them, and says by them who he is and how he was asked: no byte of the wheel.
OF_THE_INSTALLER = ("INSTALLER", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json")


class Row(NamedTuple):
    """A file that a distribution has.

    Attributes:
        path: relative to site-packages.
        algorithm: of the digest, as hashlib calls it.
        digest: in URL-safe base64 without padding.
        size: in bytes.
    """

    path: str
    algorithm: str
    digest: str
    size: str


class Distribution(NamedTuple):
    """A distribution that is installed: its name, its version, and its files with a digest."""

    name: str
    version: str
    rows: tuple[Row, ...]

    def digest(self) -> str:
        """Return a SHA-256 over all that the wheel brought, in hex."""
        text = "".join(f"{','.join(row)}\n" for row in sorted(self.rows))
        return hashlib.sha256(text.encode()).hexdigest()


class Locked(NamedTuple):
    """A distribution of the image as it was built; the digest is that of `Distribution`."""

    name: str
    version: str
    digest: str


def installed(site: Path) -> list[Distribution]:
    """Return the distributions in a site-packages folder, by their names."""
    return sorted(_read(record) for record in site.glob("*.dist-info/RECORD"))


def _read(record: Path) -> Distribution:
    name, _, version = record.parent.name.removesuffix(".dist-info").rpartition("-")
    with record.open(encoding="utf-8", newline="") as file:
        rows = tuple(_rows(file.read().splitlines(), record.parent.name))
    return Distribution(re.sub(r"[-_.]+", "-", name).lower(), version, rows)


def _rows(lines: list[str], home: str) -> list[Row]:
    own = {f"{home}/{name}" for name in OF_THE_INSTALLER}
    rows = []
    for path, digest, size in csv.reader(lines):
        # Without a digest: the RECORD itself, and what the installer has compiled.
        if digest and path not in own and "__pycache__/" not in path:
            algorithm, _, value = digest.partition("=")
            rows.append(Row(path, algorithm, value, size))
    return rows


def write(site: Path) -> str:
    """Return what is installed in `site` as the text of a file for `read`."""
    rows = [(one.name, one.version, one.digest()) for one in installed(site)]
    return json.dumps({"site": str(site), "distributions": rows}, indent=1) + "\n"


def read(file: Path) -> tuple[Path, list[Locked]]:
    """Return the site-packages folder that `write` was told of, and what was in it.

    Raises:
        OSError: there is no such file.
    """
    whole = json.loads(file.read_text(encoding="utf-8"))
    return Path(whole["site"]), [Locked(*one) for one in whole["distributions"]]


if __name__ == "__main__":
    sys.stdout.write(write(Path(sys.argv[1])))
