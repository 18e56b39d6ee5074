"""images/reach.toml: which rows differ between processors, and why.

`make test-reach` holds what it sees against this file, in both directions.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from scripts.errors import KitError
from scripts.places import IMAGES

FILE = IMAGES / "reach.toml"


class Known(BaseModel):
    """Rows that differ between processors for one reason.

    Attributes:
        reason: why, in a sentence.
        seen: on which machines all of them do, as `results.Seen.kind` has it; on another one they
            may, and are not missed where they do not.
        rows: names of what is computed, with its type and without its size, as in `rsqrt float32`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: str = Field(min_length=1)
    seen: tuple[str, ...] = Field(min_length=1)
    rows: tuple[str, ...] = Field(min_length=1)


_FORM = TypeAdapter(dict[str, tuple[Known, ...]])


def read(tag: str, path: Path = FILE) -> dict[str, Known]:
    """Return what is known of an image, by row; nothing for an image that the file lacks.

    Raises:
        KitError: the file is not of this form, or names a row twice.
    """
    found = _read(path).get(tag, ())
    counted = Counter(row for known in found for row in known.rows)
    if twice := [row for row, count in counted.items() if count > 1]:
        raise KitError(f"{path}: {tag} names {', '.join(twice)} more than once")
    return {row: known for known in found for row in known.rows}


def tags(path: Path = FILE) -> set[str]:
    """Return the images that the file is about."""
    return set(_read(path))


def _read(path: Path) -> dict[str, tuple[Known, ...]]:
    try:
        return _FORM.validate_python(tomllib.loads(path.read_text()))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise KitError(f"{path}: {error}") from error
