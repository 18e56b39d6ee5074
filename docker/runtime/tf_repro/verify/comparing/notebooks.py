"""The outputs of a notebook's cells, as they are compared: texts by line, pictures by pixels.

What is no result does not count: dates, ids, addresses of objects, and how often a progress bar was
drawn anew, or how a stream was cut into pieces, which follows the clock.
"""

import hashlib
import json
import re
import struct
import zlib
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tf_repro.notebook.cells import Cell, cells, joined

IGNORED = "times, ids, addresses of objects, and how streams were cut"

# Colours, and what else moves a terminal's pen. https://en.wikipedia.org/wiki/ANSI_escape_code#CSI
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# What follows the clock, or where things lie in memory -> what stands in its place.
_CHANGING = (
    (re.compile(r" at 0x[0-9a-f]+(?=>)"), " at 0x…"),
    (re.compile(r"/ipykernel_\d+/"), "/ipykernel/"),
    # A line of TensorFlow's own log.
    (re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: (?=[IWEF] )"), ""),
    # Keras' bars, as `1s 10ms/step`; tqdm's, as `[00:01<00:00, 9.1it/s]`.
    (re.compile(r"\b\d+(?::\d\d)*[smh]? \d+(?:\.\d+)?(?:us|ms|s)/(step|epoch)\b"), r"…/\1"),
    (re.compile(r"\[[\d:]+<[\d:?]+, +[\d.?]+ ?(?:[A-Za-z]+/s|s/[A-Za-z]+)\]"), "[…]"),
)
# Ids in a drawing of matplotlib's, which come from the system's entropy.
_SVG_ID = re.compile(r'(?<=[#"])[a-z][0-9a-f]{10}(?=[")])')
_SVG_DATE = re.compile(r"<dc:date>[^<]*</dc:date>")
_PNG = b"\x89PNG\r\n\x1a\n"
# The chunks of a picture that say what is seen. https://www.w3.org/TR/png-3/#11Chunks
_SEEN = (b"PLTE", b"tRNS", b"gAMA", b"sRGB")


def read(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield what is compared of a notebook: where it is, and what is there."""
    for cell in cells(json.loads(data)):
        yield from _outputs(cell)


def _outputs(cell: Cell) -> Iterator[tuple[str, str]]:
    where = f"cell {cell.label}"
    yield f"{where}: run as", f"In[{cell.count}]"
    streams: dict[str, str] = {}
    shown: list[tuple[str, Mapping[str, Any]]] = []
    for one in cell.outputs:
        kind = one["output_type"]
        if kind == "stream":
            streams[one["name"]] = streams.get(one["name"], "") + joined(one["text"])
        elif kind == "error":
            yield f"{where}: error", f"{one['ename']}: {one['evalue']}"
        else:
            shown.append(("result" if kind == "execute_result" else "display", one["data"]))
    for name, text in streams.items():
        yield from _lines(f"{where}: {name}", text)
    for number, (kind, bundle) in enumerate(shown, 1):
        for mime, content in bundle.items():
            yield from _part(f"{where}: {kind} {number}, {mime}", mime, content)


def _part(where: str, mime: str, content: Any) -> Iterator[tuple[str, str]]:
    if mime == "image/png":
        yield where, _pixels(b64decode(joined(content)))
    elif mime == "image/svg+xml":
        yield from _lines(where, _without_ids(joined(content)))
    elif isinstance(content, str | list) and (mime.startswith("text/") or "javascript" in mime):
        yield from _lines(where, joined(content))
    elif mime.endswith("json"):
        yield where, json.dumps(content, sort_keys=True)
    else:
        yield where, f"sha256 {hashlib.sha256(joined(content).encode()).hexdigest()}"


def _lines(where: str, text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(settled(text), 1):
        yield f"{where}, line {number}", line


def settled(text: str) -> "list[str]":
    r"""Return the lines of a text as they stand in the end, without what follows the clock.

    >>> settled("1/2 [=>..] - 1s 9ms/step\r2/2 [====] - 1s 8ms/step - loss: 0.5\n")
    ['2/2 [====] - …/step - loss: 0.5']
    """
    lines = [_drawn(line) for line in _ESCAPES.sub("", text).split("\n")]
    for pattern, instead in _CHANGING:
        lines = [pattern.sub(instead, line) for line in lines]
    return lines[:-1] if lines and not lines[-1] else lines


def _drawn(line: str) -> str:
    r"""Return what is seen of a line that was drawn over: by carriage returns, and backspaces.

    >>> _drawn("10%\r20%") + _drawn("ab\b\bcd ")
    '20%cd'
    """
    seen: list[str] = []
    pen = 0
    for one in line:
        if one == "\r":
            pen = 0
        elif one == "\b":
            pen = max(pen - 1, 0)
        else:
            seen[pen : pen + 1] = one
            pen += 1
    return "".join(seen).rstrip()


def _without_ids(svg: str) -> str:
    names: dict[str, str] = {}
    numbered = _SVG_ID.sub(lambda found: names.setdefault(found[0], f"id{len(names)}"), svg)
    return _SVG_DATE.sub("", numbered)


def _pixels(data: bytes) -> str:
    """Return size and digest of a picture, without its file's times and texts.

    Scan lines are taken as they are filtered: one encoder filters equal pixels alike.
    """
    if not data.startswith(_PNG):
        return f"sha256 {hashlib.sha256(data).hexdigest()}"
    at, seen, packed, size = len(_PNG), hashlib.sha256(), b"", (0, 0)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        content = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            size = struct.unpack_from(">II", content)
            seen.update(content)
        elif kind == b"IDAT":
            packed += content
        elif kind in _SEEN:
            seen.update(kind + content)
        at += 12 + length
    seen.update(zlib.decompress(packed))
    return f"{size[0]} x {size[1]} pixels, sha256 {seen.hexdigest()[:16]}"


def moved(before: "Sequence[Cell]", after: bytes) -> str:
    """Return the first cell whose outputs are not those that a file was committed with.

    Args:
        before: the cells of the file; those without outputs are not asked.
        after: the same notebook, run from top to bottom.
    """
    for one, other in zip(before, cells(json.loads(after)), strict=False):
        if one.outputs:
            ours, theirs = (
                [pair for pair in _outputs(cell) if not pair[0].endswith(": run as")]
                for cell in (one, other)
            )
            if ours != theirs:
                return one.label
    return ""
