"""Which rows differ between which processors, and whether that is known."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scripts.proof.reach.known import Known
from scripts.proof.reach.results import Row, Taken

NOT_RUN = "not run"


@dataclass(frozen=True)
class Compared:
    """A row on all processors.

    Attributes:
        row: its names; whose digest it is does not matter.
        marks: a processor each: a letter for each digest, A for the first one; the kind of an
            error; NOT_RUN.
        natively: whether it differs where nothing is emulated, and only the number of CPUs is not
            the same.
    """

    row: Row
    marks: tuple[str, ...]
    natively: bool

    @property
    def differs(self) -> bool:
        """Whether it has come out in two ways; what was not run is not one."""
        return len({mark for mark in self.marks if mark != NOT_RUN}) > 1


@dataclass(frozen=True)
class Verdict:
    """What the rows come to.

    Attributes:
        differing: all that differ, known or not.
        unknown: those of them that are not listed, or differ natively.
        stale: what is listed and differs nowhere, on a machine on which it did.
        elsewhere: the same on a machine of another kind, where that is no error.
        missing: why rows were not run, and on which processor.
        compared: how many rows have a digest everywhere.
        errors: how many end with the same error everywhere, as TensorFlow has no such kernel.
    """

    differing: tuple[Compared, ...]
    unknown: tuple[Compared, ...]
    stale: tuple[str, ...]
    elsewhere: tuple[str, ...]
    missing: tuple[str, ...]
    compared: int
    errors: int

    @property
    def exit_code(self) -> int:
        """0 if all is as it is listed, 1 if it is not, 3 if not all could be run."""
        if self.unknown or self.stale:
            return 1
        return 3 if self.missing else 0


def compared(taken: Sequence[Taken]) -> list[Compared]:
    """Compare what was computed on several processors, the first of which is the machine's own."""
    tables = [one.rows for one in taken]
    native = [not one.processor.model for one in taken]
    names: dict[str, Row] = {}
    for table in tables:
        names |= {name: row for name, row in table.items() if name not in names}
    found = []
    for name, row in names.items():
        marks = _marks([table.get(name) for table in tables])
        own = {mark for mark, ours in zip(marks, native, strict=True) if ours and mark != NOT_RUN}
        found.append(Compared(row, marks, len(own) > 1))
    return found


def _marks(rows: Sequence[Row | None]) -> tuple[str, ...]:
    letters: dict[str, str] = {}
    marks = []
    for row in rows:
        if row and row.digest:
            letters.setdefault(row.digest, string.ascii_uppercase[len(letters)])
            marks.append(letters[row.digest])
        else:
            marks.append(row.outcome if row else NOT_RUN)
    return tuple(marks)


def judged(taken: Sequence[Taken], known: Mapping[str, Known], *, whole: bool = True) -> Verdict:
    """Return what the rows come to.

    Args:
        taken: what was computed, the machine's own processor first.
        known: what is listed, by row.
        whole: whether all rows were to be run; a sample shows nothing of what is no longer true.
    """
    rows = compared(taken)
    differing = tuple(row for row in rows if row.differs)
    seen = {row.row.of for row in differing}
    same = [row for row in rows if not row.differs and NOT_RUN not in row.marks]
    kind = taken[0].seen.kind
    gone = [row for row in known if whole and row not in seen]
    with_digest = [row for row in same if row.row.digest]
    return Verdict(
        differing=differing,
        unknown=tuple(row for row in differing if row.natively or row.row.of not in known),
        stale=tuple(row for row in gone if kind in known[row].seen),
        elsewhere=tuple(row for row in gone if kind not in known[row].seen),
        missing=tuple(
            f"{one.processor.name}: {part.problem}"
            for one in taken
            for part in one.parts
            if part.problem
        ),
        compared=len(with_digest),
        errors=len(same) - len(with_digest),
    )
