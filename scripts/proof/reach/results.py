"""What a process prints: the processor that it sees, and a row for all that it has computed."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from scripts.proof.reach.processors import Processor


class _Printed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Seen(_Printed):
    """The processor, as CPUID describes it, and how many rows the process has to print."""

    processor: str
    vendor: str
    caches: tuple[str, ...]
    rows: int

    @property
    def kind(self) -> str:
        """What tells it from others: its name, and the caches that are not the whole chip's."""
        return ", ".join((self.processor, *(one for one in self.caches if one < "L3")))

    def __str__(self) -> str:
        return f"{self.processor} ({self.vendor}; {', '.join(self.caches)})"


class Row(_Printed):
    """What was computed, and its digest or the error that kept it from one."""

    row: str
    type: str
    size: str
    digest: str = ""
    error: str = ""
    seconds: float = 0

    @property
    def of(self) -> str:
        """What it is of, whatever the size: what a row of images/reach.toml names."""
        return f"{self.row} {self.type}"

    @property
    def name(self) -> str:
        """Its whole name."""
        return f"{self.of} {self.size}"

    @property
    def outcome(self) -> str:
        """What has to be the same everywhere: a digest, or the kind of the error."""
        return self.digest or self.error.partition(":")[0]


@dataclass(frozen=True)
class Part:
    """What a process, or several after each other, printed of a part of the battery.

    Attributes:
        seen: the processor.
        rows: as far as it came.
        problem: why it came no further; empty where it has come to the end.
    """

    seen: Seen
    rows: tuple[Row, ...]
    problem: str = ""


@dataclass(frozen=True)
class Taken:
    """All parts of one processor."""

    processor: Processor
    parts: tuple[Part, ...]

    @property
    def seen(self) -> Seen:
        """The processor that its processes saw."""
        return self.parts[0].seen

    @property
    def rows(self) -> dict[str, Row]:
        """The rows by name."""
        return {row.name: row for part in self.parts for row in part.rows}


def printed(stdout: str) -> tuple[Seen | None, list[Row]]:
    """Return what is in a process's output, which may end anywhere."""
    lines = stdout.splitlines()
    seen = next((line for line in lines if _is_whole(line)), None)
    rows = [Row.model_validate_json(line) for line in lines if is_row(line)]
    return None if seen is None else Seen.model_validate_json(seen), rows


def is_row(line: str) -> bool:
    """Return whether a line is a row; a library may say something in between."""
    return _is_whole(line) and line.startswith('{"row"')


def _is_whole(line: str) -> bool:
    return line.startswith("{") and line.endswith("}")
