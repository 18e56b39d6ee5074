"""A table in boxes for the terminal, as the kit draws its own; of the standard library alone."""

import shutil
import textwrap
from collections.abc import Iterator, Sequence

WIDTH = 100  # columns, where there is no terminal
LEAST = 24  # columns that the last cell gets, however narrow the terminal is


def width() -> int:
    """Return how many columns the terminal has."""
    return shutil.get_terminal_size((WIDTH, 24)).columns


def boxed(rows: Sequence[Sequence[str]], columns: int) -> list[str]:
    r"""Return the lines of a table.

    Args:
        rows: the head and the others, of as many cells each; the last cell is wrapped.
        columns: of the terminal.

    >>> print(*boxed([("run", "against run 1"), ("2", "identical")], 80), sep="\n")
    ┏━━━━━┳━━━━━━━━━━━━━━━┓
    ┃ run ┃ against run 1 ┃
    ┡━━━━━╇━━━━━━━━━━━━━━━┩
    │ 2   │ identical     │
    └─────┴───────────────┘
    """
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    others = sum(wide[:-1]) + 3 * len(wide) + 1  # a bar and two spaces for each, and the last bar
    wide[-1] = max(min(wide[-1], max(columns - others, LEAST)), 1)
    head, *rest = rows
    return [
        _rule("┏━┳┓", wide),
        *_lines(head, wide, "┃"),
        _rule("┡━╇┩", wide),
        *(line for row in rest for line in _lines(row, wide, "│")),
        _rule("└─┴┘", wide),
    ]


def _rule(corners: str, wide: Sequence[int]) -> str:
    left, dash, between, right = list(corners)
    return left + between.join(dash * (size + 2) for size in wide) + right


def _lines(row: Sequence[str], wide: Sequence[int], bar: str) -> Iterator[str]:
    for number, last in enumerate(textwrap.wrap(row[-1], wide[-1]) or [""]):
        cells = [*(row[:-1] if number == 0 else [""] * (len(row) - 1)), last]
        padded = (f" {cell:{size}} " for cell, size in zip(cells, wide, strict=True))
        yield bar + bar.join(padded) + bar
