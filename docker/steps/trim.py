"""Leave out of an environment what images/trim.toml says, and say how much that was.

`python trim.py RULES SITE_PACKAGES`, in the build step that installed the packages, so that what
goes was never in a layer. The packages' RECORD files follow, so that pip knows what is there. It
runs under the image's own Python, before anything else is there: standard library only. A second
run changes nothing.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import struct
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

# ELF, 64 bit, little-endian; sizes and offsets of https://refspecs.linuxfoundation.org/elf/gabi4+/
ELF_MAGIC = b"\x7fELF\x02\x01"
HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
SECTION_HEADER = struct.Struct("<IIQQQQIIQQ")
SHT_SYMTAB, SHT_NOBITS = 2, 8
SHF_ALLOC, SHF_INFO_LINK = 0x2, 0x40


def remove(files: Iterable[Path]) -> Iterator[tuple[Path, int]]:
    """Delete files; yield each with the bytes that it had."""
    for path in files:
        size = path.stat().st_size
        path.unlink()
        yield path, size


def strip(files: Iterable[Path]) -> Iterator[tuple[Path, int]]:
    """Cut the symbol tables and debug sections off shared libraries, as `strip` does.

    Yields each library that had any, with the bytes that went. What the loader maps is not touched:
    the same bytes stay at the same place. A library in which something that is mapped follows what
    would go stays as it is.
    """
    for path in files:
        with path.open("rb") as file:
            cut = _plan(file) if file.read(len(ELF_MAGIC)) == ELF_MAGIC else None
        if cut is not None:
            before = path.stat().st_size
            _cut(path, *cut)
            yield path, before - path.stat().st_size


def _plan(file: io.BufferedReader) -> tuple[int, bytes] | None:
    """Return where to cut a library and what to put there, None where there is nothing to gain."""
    file.seek(0)
    header = list(HEADER.unpack(file.read(HEADER.size)))
    program_offset, section_offset = header[5], header[6]
    n_programs, n_sections, names_index = header[10], header[12], header[13]
    file.seek(program_offset)
    programs = [PROGRAM_HEADER.unpack(file.read(PROGRAM_HEADER.size)) for _ in range(n_programs)]
    file.seek(section_offset)
    sections = [SECTION_HEADER.unpack(file.read(SECTION_HEADER.size)) for _ in range(n_sections)]
    if not any(section[1] == SHT_SYMTAB for section in sections):
        return None
    loaded = [number for number, one in enumerate(sections) if number == 0 or one[2] & SHF_ALLOC]
    kept = len(loaded)
    if loaded != list(range(kept)):
        return None
    end = max(offset + size for _, _, offset, _, _, size, _, _ in programs)
    end = max([end, *(one[4] + one[5] for one in sections[:kept] if one[1] != SHT_NOBITS)])
    refers = [one[6] for one in sections[:kept]]
    refers += [one[7] for one in sections[:kept] if one[2] & SHF_INFO_LINK]
    if any(one[4] < end for one in sections[kept:]) or any(index >= kept for index in refers):
        return None
    names = list(sections[names_index])
    file.seek(names[4])
    text: bytes = file.read(names[5])
    names[4] = end
    padding = b"\0" * (-(end + len(text)) % 8)
    table = b"".join(SECTION_HEADER.pack(*one) for one in [*sections[:kept], names])
    header[6], header[12], header[13] = end + len(text) + len(padding), kept + 1, kept
    return end, HEADER.pack(*header) + text + padding + table


def _cut(path: Path, end: int, replacement: bytes) -> None:
    with path.open("r+b") as file:
        file.write(replacement[: HEADER.size])
        file.truncate(end)
        file.seek(end)
        file.write(replacement[HEADER.size :])


def link(files: Iterable[Path]) -> Iterator[tuple[Path, int]]:
    """Make files of the same content and mode hard links of the first one of them."""
    first: dict[tuple[str, int], Path] = {}
    for path in files:
        status = path.stat()
        key = (_sha256(path).hexdigest(), status.st_mode)
        original = first.setdefault(key, path)
        if status.st_size and not original.samefile(path):
            path.unlink()
            os.link(original, path)
            yield path, status.st_size


ACTIONS: dict[str, Callable[[Iterable[Path]], Iterator[tuple[Path, int]]]] = {
    "remove": remove,
    "strip": strip,
    "link": link,
}


def trim(rules: Path, site: Path) -> Iterator[dict[str, object]]:
    """Apply every rule in its order; yield its name, and the files and bytes that went."""
    changed: set[Path] = set()
    for name, rule in tomllib.loads(rules.read_text())["rule"].items():
        found = {path for pattern in rule["files"] for path in site.glob(pattern)}
        files = sorted(path for path in found if path.is_file() and not path.is_symlink())
        done = list(ACTIONS[rule["do"]](files))
        if rule["do"] != "link":
            changed.update(path for path, _ in done)
        yield {"rule": name, "files": len(done), "bytes": sum(size for _, size in done)}
    _update_records(site, {os.path.relpath(path, site): path for path in changed})


def _update_records(site: Path, changed: dict[str, Path]) -> None:
    """Bring the packages' RECORD files in line with the files that are there now.

    https://packaging.python.org/en/latest/specifications/recording-installed-packages/
    """
    for record in sorted(site.glob("*.dist-info/RECORD")):
        with record.open(newline="") as file:
            rows = list(csv.reader(file))
        if not any(row[0] in changed for row in rows):
            continue
        kept = []
        for row in rows:
            path = changed.get(row[0])
            if path is None:
                kept.append(row)
            elif path.exists():
                digest = base64.urlsafe_b64encode(_sha256(path).digest()).rstrip(b"=").decode()
                kept.append([row[0], f"sha256={digest}", str(path.stat().st_size)])
        with record.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(kept)


def _sha256(path: Path) -> hashlib._Hash:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256")


if __name__ == "__main__":
    for line in trim(Path(sys.argv[1]), Path(sys.argv[2])):
        sys.stdout.write(json.dumps(line) + "\n")
