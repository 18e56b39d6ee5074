"""The outputs of a notebook's cells, as they are compared: texts by line, pictures by pixels.

What is no result does not count: dates, ids, addresses of objects, and how often a progress bar was
drawn anew, or how a stream was cut into pieces, which follows the clock.
"""

import hashlib
import itertools
import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tf_repro.notebook.cells import Cell, cells, joined
from tf_repro.verify.comparing import png
from tf_repro.verify.comparing.png import Picture

IGNORED = "times, ids, addresses of objects, and how streams were cut"
SHOWN = 60  # characters of a text, from a little before it differs
LEAD = 20
# A widget is named at random, and what it shows is in no output.
_WIDGET = "application/vnd.jupyter.widget-view+json"

Parts = Iterator[tuple[str, "str | Picture"]]

# Colours, and what else moves a terminal's pen. https://en.wikipedia.org/wiki/ANSI_escape_code#CSI
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# What follows the clock, or where things lie in memory -> what stands in its place.
_CHANGING = (
    (re.compile(r" at 0x[0-9a-f]+(?=>)"), " at 0x…"),
    (re.compile(r"/ipykernel_\d+/"), "/ipykernel/"),
    # A line of TensorFlow's own log.
    (re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: (?=[IWEF] )"), ""),
    # The same of absl's, in later releases.
    (re.compile(r"^([IWEF])\d{4} \d\d[\d:.]+ +\d+ (?=\S+:\d+\] )"), r"\1 "),
    # What %time and %timeit print.
    (re.compile(r"^(CPU times|Wall time): .*"), r"\1: …"),
    (re.compile(r"^[\d.]+ [mμun]?s ± [\d.]+ [mμun]?s (?=per loop )"), "… "),
    # Keras' bars, as `1s 10ms/step`; tqdm's, as `[00:01<00:00, 9.1it/s]`.
    (re.compile(r"\b\d+(?::\d\d)*[smh]? \d+(?:\.\d+)?(?:us|ms|s)/(step|epoch)\b"), r"…/\1"),
    # Its lines under verbose=2, as `4/4 - 1s - loss: 0.5 - 800ms/epoch - 200ms/step`.
    (re.compile(r"\b\d+(?:\.\d+)?(?:us|ms|s)/(step|epoch)\b"), r"…/\1"),
    (re.compile(r"^(\d+/\d+) - \d+(?::\d\d)*[smh]? - (?=.*…/step)"), r"\1 - "),
    (re.compile(r"\[[\d:]+<[\d:?]+, +[\d.?]+ ?(?:[A-Za-z]+/s|s/[A-Za-z]+)\]"), "[…]"),
)
# Ids in a drawing of matplotlib's, which come from the system's entropy.
_SVG_ID = re.compile(r'(?<=[#"])[a-z][0-9a-f]{10}(?=[")])')
_SVG_DATE = re.compile(r"<dc:date>[^<]*</dc:date>")
# Ids in a table that pandas has styled.
_STYLE_ID = re.compile(r"(?<=[#\"])T_[0-9a-f]{5}(?=[_\" ])")


def read(data: bytes) -> Parts:
    """Yield what is compared of a notebook: where it is, and what is there."""
    for cell in cells(json.loads(data)):
        yield from _outputs(cell)


def _outputs(cell: Cell) -> Parts:
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
            data = {} if _WIDGET in one["data"] else one["data"]
            shown.append(("result" if kind == "execute_result" else "display", data))
    for name, text in streams.items():
        yield from _lines(f"{where}: {name}", text)
    for number, (kind, bundle) in enumerate(shown, 1):
        for mime, content in bundle.items():
            yield from _part(f"{where}: {kind} {number}, {mime}", mime, content)


def _part(where: str, mime: str, content: Any) -> Parts:
    if mime == "image/png":
        yield where, _picture(b64decode(joined(content)))
    elif mime == "image/svg+xml":
        svg = _SVG_DATE.sub("", _numbered(_SVG_ID, joined(content)))
        yield from _lines(where, svg)
    elif mime == "text/html":
        yield from _lines(where, _numbered(_STYLE_ID, joined(content)))
    elif isinstance(content, str | list) and (mime.startswith("text/") or "javascript" in mime):
        yield from _lines(where, joined(content))
    elif mime.endswith("json"):
        yield where, json.dumps(content, sort_keys=True)
    else:
        yield where, f"sha256 {hashlib.sha256(joined(content).encode()).hexdigest()}"


def _lines(where: str, text: str) -> Parts:
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


def _numbered(ids: "re.Pattern[str]", text: str) -> str:
    """Return a text whose random ids are numbers, in the order in which they come."""
    names: dict[str, str] = {}
    return ids.sub(lambda found: names.setdefault(found[0], f"id{len(names)}"), text)


def _picture(data: bytes) -> "str | Picture":
    try:
        return png.read(data)
    except png.CannotDecodeError:
        return f"{len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()[:16]}"


def words(ours: "str | Picture | None", theirs: "str | Picture | None") -> str:
    """Return in words how a part of two notebooks differs; None for one that is not there.

    >>> words("loss: 0.5", None)
    'loss: 0.5 and nothing'
    """
    if isinstance(ours, Picture) and isinstance(theirs, Picture):
        return png.apart(ours, theirs)
    texts = ["nothing" if one is None else str(one) for one in (ours, theirs)]
    start = 0
    if max(map(len, texts)) > SHOWN:
        same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False))
        start = max(sum(1 for _ in same) - LEAD, 0)
    return " and ".join(_cut(text, start) for text in texts)


def _cut(text: str, start: int) -> str:
    """Return what is shown of a long text, which may be a whole page of HTML.

    >>> _cut("a" * 1000, 10) == "…" + "a" * SHOWN + "…"
    True
    """
    end = start + SHOWN
    return ("…" if start else "") + text[start:end] + ("…" if text[end:] else "")


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
