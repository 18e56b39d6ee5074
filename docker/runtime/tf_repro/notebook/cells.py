"""A notebook's cells, read out of its JSON, and whether they were last run in their order.

https://nbformat.readthedocs.io/en/latest/format_description.html
"""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tf_repro import committed

FORMAT = 4  # of nbformat; older ones have no cells of their own
LABEL = 40  # characters of a cell's source that name it


class NotebookError(Exception):
    """It is no notebook that can be run; the message is one line for the user."""


@dataclass(frozen=True)
class Cell:
    """A cell of code that is not empty.

    Attributes:
        number: from 1, as In[n] counts them in a run from top to bottom.
        source: its code.
        count: what In[n] it was when it was last run; None if it was not.
        outputs: as the file has them.
    """

    number: int
    source: str
    count: "int | None"
    outputs: "Sequence[Mapping[str, Any]]"

    @property
    def label(self) -> str:
        """Its name for people, as in `In[4] (model.fit(x, y))`."""
        return label(self.number, self.source)


def label(number: int, source: str) -> str:
    r"""Return the name of a cell for people.

    >>> label(4, "\nmodel.fit(x, y)\nprint(1)")
    'In[4] (model.fit(x, y))'
    """
    first = next((line.strip() for line in source.splitlines() if line.strip()), "")
    return f"In[{number}] ({first[:LABEL]}{'…' if len(first) > LABEL else ''})"


def read(path: Path) -> "list[Cell]":
    """Return the cells of code.

    Raises:
        NotebookError: it is no notebook, one of an old format or of another language, one with the
            conflicts of a merge in it, or one without code.
    """
    try:
        whole = json.loads(committed.text_of(path))
        if whole["nbformat"] != FORMAT:
            raise NotebookError(
                f"{path}: format {whole['nbformat']} of notebooks, and this reads {FORMAT}: "
                "`jupyter nbconvert --to notebook` converts it"
            )
        metadata = whole.get("metadata", {})
        language = metadata.get("kernelspec", {}).get("language") or metadata.get(
            "language_info", {}
        ).get("name", "python")
        found = cells(whole)
        language = str(language)
    except OSError as error:
        raise NotebookError(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NotebookError(f"{path}: not a notebook ({error})") from error
    if language.lower() != "python":
        raise NotebookError(f"{path}: its language is {language}, and the image has Python alone")
    if not found:
        raise NotebookError(f"{path}: it has no cell of code")
    return found


def cells(whole: "Mapping[str, Any]") -> "list[Cell]":
    """Return the cells of code in a notebook's JSON."""
    found: list[Cell] = []
    for one in whole["cells"]:
        source = joined(one["source"])
        if one["cell_type"] == "code" and source.strip():
            count = one.get("execution_count")
            count = count if isinstance(count, int) else None
            found.append(Cell(len(found) + 1, source, count, one.get("outputs", [])))
    return found


def joined(text: "str | Sequence[str]") -> str:
    """Return a text, which the format may have as a list of lines."""
    return text if isinstance(text, str) else "".join(text)


def disorder(found: "Sequence[Cell]") -> str:
    """Return in words how cells were last run in another order than their own; empty if not."""
    ran = [cell for cell in found if cell.count is not None]
    for before, after in itertools.pairwise(ran):
        assert before.count is not None
        assert after.count is not None
        if after.count <= before.count:
            return (
                f"cell {before.label} ran as In[{before.count}], and the one below it before, as "
                f"In[{after.count}]"
            )
    counts = [cell.count for cell in ran]
    if counts and counts != list(range(1, len(found) + 1)):
        return f"its cells ran as {', '.join(f'In[{count}]' for count in counts)}"
    return ""
