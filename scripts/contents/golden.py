"""images/<tag>/golden.json: which bits an image gives, and where they were seen.

`make golden` runs the example and the battery's sample, six trainings and some hundreds of ops, and
takes down what came out; `make prove` compares the example. So whoever finds other bits knows at
once whether anybody has seen them, on what, and which op is the first that differs.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scripts.errors import KitError
from scripts.places import IMAGES

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1
NAME = "golden.json"
# Parts of the battery, each a process of its own.
PARTS = ("arrays", "ops", "xla", "trainings")
# What tells one model of processor from another, by Linux' names: the model's own is often vague.
_FIELDS = ("vendor_id", "model name", "cpu family", "model")
# What the processor has beyond AVX2, and what TensorFlow would choose its kernels by.
_ABOVE_AVX2 = ("avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_tile")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Seen(_Strict):
    """A processor, and the day on which it gave a result."""

    processor: str
    above_avx2: tuple[str, ...]
    on: dt.date

    def __str__(self) -> str:
        return f"{self.processor}, {self.on}"


class Result(_Strict):
    """What a training gave: `weights` is the SHA-256 of the saved weights, `loss` its last loss."""

    weights: str = Field(pattern="^[0-9a-f]{64}$")
    loss: float
    seen: tuple[Seen, ...] = Field(min_length=1)


class Rows(_Strict):
    """What the battery's sample gave: by row, a digest or the kind of error."""

    outcomes: Mapping[str, str]
    seen: tuple[Seen, ...] = Field(min_length=1)


_Kind = TypeVar("_Kind", bound=Result | Rows)


class Golden(_Strict):
    """The file; the first result of a kind is called the published one."""

    version: int = VERSION
    made_by: str
    digits: tuple[Result, ...] = Field(min_length=1)
    rows: tuple[Rows, ...] = ()


def path(tag: str) -> Path:
    """Return where the file of an image is."""
    return IMAGES / tag / NAME


def read(file: Path) -> Golden | None:
    """Return what is in a file; None where there is none.

    Raises:
        KitError: it is not such a file, or one of another version.
    """
    if not file.exists():
        return None
    try:
        found = Golden.model_validate_json(file.read_text())
    except (ValidationError, UnicodeDecodeError) as error:
        first = str(error).splitlines()[1:3]
        said = " ".join(line.strip() for line in first) or "no text"
        raise KitError(f"{file} cannot be read: {said}; `make golden` writes it anew") from error
    if found.version != VERSION:
        raise KitError(f"{file} has version {found.version}; this kit reads {VERSION}")
    return found


def described(cpuinfo: str, on: dt.date) -> Seen:
    """Return the first processor of the text that Linux has in /proc/cpuinfo."""
    first = cpuinfo.split("\n\n", maxsplit=1)[0]
    pairs = [line.partition(":") for line in first.splitlines()]
    rows = {name.strip(): value.strip() for name, _, value in pairs}
    flags = rows.get("flags", "").split()
    vendor, name, family, model = (rows.get(field, "unknown") for field in _FIELDS)
    return Seen(
        processor=f"{name} ({vendor}, family {family}, model {model})",
        above_avx2=tuple(flag for flag in _ABOVE_AVX2 if flag in flags),
        on=on,
    )


def compared(golden: Golden | None, weights: str) -> str:
    """Return one line: whether these weights were seen before, and on what."""
    if golden is None:
        return "nothing is published to compare it with: `make golden` begins the file"
    for number, result in enumerate(golden.digits):
        if result.weights == weights:
            which = "the published bits" if number == 0 else "other bits than the published ones"
            return f"{which}, first seen on {result.seen[0]}"
    published = golden.digits[0]
    return (
        f"NOT the published bits, {published.weights[:12]}, first seen on {published.seen[0]}: if "
        "the image is that of its lock, this processor parts, and `make golden` takes it down"
    )


def added(golden: Golden | None, tag: str, weights: str, loss: float, seen: Seen) -> Golden:
    """Return the file's content with one more sight in it; a processor counts once a result."""
    results = golden.digits if golden else ()
    digits = _with(results, Result(weights=weights, loss=loss, seen=(seen,)))
    rows = golden.rows if golden else ()
    return Golden(made_by=f"make golden IMAGE={tag}", digits=digits, rows=rows)


def with_rows(golden: Golden, outcomes: Mapping[str, str], seen: Seen) -> Golden:
    """Return the file's content with one more sight of the battery's sample in it."""
    rows = _with(golden.rows, Rows(outcomes=outcomes, seen=(seen,)))
    return golden.model_copy(update={"rows": rows})


def _with(known: Sequence[_Kind], new: _Kind) -> tuple[_Kind, ...]:
    """Return what is known with one more sight of it; the processor is the new one's only one."""
    same = [_same(one, new) for one in known]
    if not any(same):
        return (*known, new)
    number = same.index(True)
    seen = known[number].seen
    if new.seen[0].processor not in {one.processor for one in seen}:
        seen = (*seen, *new.seen)
    more = cast("_Kind", known[number].model_copy(update={"seen": seen}))
    return (*known[:number], more, *known[number + 1 :])


def _same(one: Result | Rows, other: Result | Rows) -> bool:
    return one.model_dump(exclude={"seen", "loss"}) == other.model_dump(exclude={"seen", "loss"})


def rows_compared(golden: Golden | None, outcomes: Mapping[str, str]) -> str:
    """Return one line: whether the battery's sample gave this before, or what differs first."""
    if golden is None or not golden.rows:
        return "of the ops nothing is published: `make golden` begins with them"
    published = golden.rows[0]
    for name, outcome in published.outcomes.items():
        if name in outcomes and outcomes[name] != outcome:
            return f"NOT the published bits in {name}, the first that differs; {_first(published)}"
    known = sum(name in outcomes for name in published.outcomes)
    return f"the published bits in {known} ops and trainings, {_first(published)}"


def _first(published: Rows) -> str:
    return f"first seen on {published.seen[0]}"


def published(golden: Golden | None) -> bytes:
    """Return what the image itself has of it, for `tf-repro doctor --golden`.

    That is who saw it first and nobody else, so that the image stays as it is when others do.
    """
    first = golden.rows[0] if golden and golden.rows else None
    document = {
        "version": VERSION,
        "parts": PARTS,
        "first_seen": str(first.seen[0]) if first else "",
        "outcomes": dict(first.outcomes) if first else {},
    }
    return (json.dumps(document, indent=1) + "\n").encode()


def write(file: Path, golden: Golden) -> None:
    """Write the file whole, or not at all."""
    partial = file.with_suffix(".partial")
    partial.write_text(golden.model_dump_json(indent=1) + "\n")
    partial.replace(file)
