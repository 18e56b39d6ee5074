"""`tf-repro doctor --files`: what of the proved set is no longer what was locked.

What was locked is what the image was built with, as trimmed: see records. The digest of every file
is taken anew, so it costs seconds, and it never runs by itself.
"""

import base64
import hashlib
import importlib.machinery
import json
import os
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tf_repro.doctor import records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Written as the image is built.
LOCKED = "/opt/tf-repro/records.json"
# So many files of a distribution are named; --json names all.
NAMED = 5


class Difference(NamedTuple):
    """What has become of a locked distribution.

    Attributes:
        kind: "missing", "replaced", "reinstalled" (the same version, other bytes), "changed" or
            "gone" (some files), "added" (files of nobody's, within its folders) or "shadowed"
            (PYTHONPATH has a module of that name).
        distribution: its name.
        version: the locked one.
        files: those that it is about, relative to site-packages; none for the whole distribution.
        by: what is there instead, or has written over it, as far as anything says so.
    """

    kind: str
    distribution: str
    version: str
    files: tuple[str, ...]
    by: str


def differences(
    site: Path, locked: "list[records.Locked]", python_path: "list[str]"
) -> list[Difference]:
    """Return all that differs between `site` and what was locked.

    Args:
        site: the folder site-packages.
        locked: what was in it.
        python_path: the folders that are searched before it.
    """
    there = records.installed(site)
    digests = {(one.name, one.digest()) for one in there}
    wanted = {(one.name, one.digest) for one in locked}
    intact = [one for one in there if (one.name, one.digest()) in wanted]
    others = [one for one in there if one not in intact]
    return sorted(
        [
            *(
                _not_the_locked_one(one, there)
                for one in locked
                if (one.name, one.digest) not in digests
            ),
            *_beside(intact, others),
            *_files(site, intact, others),
            *_added(site, intact, there),
            *_shadowed(intact, python_path),
        ]
    )


def _not_the_locked_one(one: records.Locked, there: "list[records.Distribution]") -> Difference:
    versions = [other.version for other in there if other.name == one.name]
    if not versions:
        return Difference("missing", one.name, one.version, (), "")
    kind = "reinstalled" if one.version in versions else "replaced"
    return Difference(kind, one.name, one.version, (), f"{one.name} {versions[-1]}")


def _beside(
    intact: "list[records.Distribution]", others: "list[records.Distribution]"
) -> list[Difference]:
    """Return what is there twice: pip's --target and a broken removal leave both."""
    return [
        Difference("replaced", one.name, one.version, (), f"{other.name} {other.version}")
        for one in intact
        for other in others
        if one.name == other.name
    ]


def _files(
    site: Path, intact: "list[records.Distribution]", others: "list[records.Distribution]"
) -> "Iterator[Difference]":
    """Yield the files that are not what their RECORD says, or not there."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # hashing lets other threads run
        for one in intact:
            states = list(pool.map(lambda row: _state(site, row), one.rows))
            for kind in ("changed", "gone"):
                files = [
                    row.path for row, state in zip(one.rows, states, strict=True) if state == kind
                ]
                if files:
                    by = _writers(files, others)
                    yield Difference(kind, one.name, one.version, tuple(files), by)


def _state(site: Path, row: records.Row) -> str:
    try:
        with (site / row.path).open("rb") as file:
            digest = hashlib.file_digest(file, row.algorithm).digest()
    except (FileNotFoundError, NotADirectoryError):
        return "gone"
    text = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return "" if text == row.digest else "changed"


def _writers(files: "list[str]", others: "list[records.Distribution]") -> str:
    """Return which of the other distributions say that these files are theirs."""
    wanted = set(files)
    return ", ".join(
        f"{one.name} {one.version}"
        for one in others
        if not wanted.isdisjoint(row.path for row in one.rows)
    )


def _added(
    site: Path, intact: "list[records.Distribution]", there: "list[records.Distribution]"
) -> list[Difference]:
    """Return the files within the locked distributions' folders that no RECORD names.

    A module can be found before a locked one by that: a .so comes before a .py.
    """
    owner = {
        row.path.partition("/")[0]: one for one in intact for row in one.rows if "/" in row.path
    }
    owner.pop("..", None)
    known = {row.path for one in there for row in one.rows}
    added: dict[records.Distribution, list[str]] = defaultdict(list)
    for folder, one in owner.items():
        own = (*records.OF_THE_INSTALLER, "RECORD") if folder.endswith(".dist-info") else ()
        for where, _, names in os.walk(site / folder):
            if where.endswith("__pycache__"):
                continue
            paths = (os.path.relpath(f"{where}/{name}", site) for name in names if name not in own)
            added[one].extend(path for path in paths if path not in known)
    return [
        Difference("added", one.name, one.version, tuple(sorted(files)), "")
        for one, files in added.items()
        if files
    ]


def _shadowed(intact: "list[records.Distribution]", python_path: "list[str]") -> list[Difference]:
    """Return the distributions whose modules are found elsewhere first."""
    found = {}
    for one in intact:
        tops = {row.path.partition("/")[0].removesuffix(".py") for row in one.rows}
        for top in sorted(top for top in tops if top.isidentifier()):
            spec = importlib.machinery.PathFinder.find_spec(top, python_path)
            if spec is not None and spec.origin is not None:
                found[one, spec.origin] = Difference(
                    "shadowed", one.name, one.version, (), f"{spec.origin}, by PYTHONPATH"
                )
    return list(found.values())


def run(*, as_json: bool) -> int:
    """Print what differs; return 0 where nothing does, else 1.

    Raises:
        OSError: this is no image of the kit, or a file of it cannot be read.
    """
    site, locked = records.read(Path(LOCKED))
    python_path = [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one]
    found = differences(site, locked, [] if sys.flags.ignore_environment else python_path)
    if as_json:
        whole = {
            "site": str(site),
            "locked": [one._asdict() for one in locked],
            "differences": [one._asdict() for one in found],
        }
        json.dump(whole, sys.stdout, indent=1)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(_text(site, locked, found))
    return 1 if found else 0


def _text(site: Path, locked: "list[records.Locked]", found: "list[Difference]") -> str:
    moved = {one.distribution for one in found}
    lines = [f"tf-repro: {len(locked)} distributions were locked in {site}", ""]
    lines += [_line(one) for one in found]
    if Path(sys.prefix) not in site.parents:
        lines.append(f"Not looked into: {sys.prefix}, this interpreter's own environment.")
    lines.append(
        f"{len(moved)} of them no longer what was locked: the image's proofs do not cover that."
        if moved
        else "All of them are what was locked, file by file."
    )
    return "\n".join(lines) + "\n"


def _line(one: Difference) -> str:
    files = ", ".join(one.files[:NAMED])
    more = f" and {len(one.files) - NAMED} more" if len(one.files) > NAMED else ""
    what = ": ".join(part for part in (one.by, files + more) if part)
    return f"{one.kind:12} {one.distribution} {one.version}{f': {what}' if what else ''}"
