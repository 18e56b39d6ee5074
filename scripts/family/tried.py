"""images/companions.toml: what was seen when the packages that people ask for were installed.

`make test-companions` installs each on its own in the real image and holds what it sees against
this file; docs/companions.md shows it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from scripts.errors import KitError
from scripts.places import IMAGES

FILE = IMAGES / "companions.toml"
HEAD = """\
# What was seen when each of `asked_for` (matrix.toml) was installed on its own in an image, by pip,
# under the image's constraints: image, package, the version that pip took. Without `fails`
# everything works. `fails` names what does not, and `reason` says why:
# - pip: pip refuses, or cannot install it;
# - own import: the package cannot be imported, with TensorFlow behind it;
# - pip check, uv pip check: they name a conflict;
# - import: `import tensorflow, keras` fails, or prints what it does not print without the package;
# - weights: the example trains to other weights.
# `TEST_COMPANIONS=record make test-companions IMAGE=<tag>` writes an image's table, and keeps the
# reason of what fails as before.
"""
Stage = Literal["pip", "own import", "pip check", "uv pip check", "import", "weights"]


class Tried(BaseModel):
    """What was seen of a package in an image.

    Attributes:
        version: what pip installed; empty where it installed nothing.
        fails: what does not work, empty if all does.
        reason: why, in one line.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str = ""
    fails: Stage | Literal[""] = ""
    reason: str = ""

    @property
    def row(self) -> str:
        """Its table in a line of TOML: a JSON string is one of TOML's basic strings."""
        named = ((key, value) for key, value in self if value)
        return f"{{ {', '.join(f'{key} = {json.dumps(value)}' for key, value in named)} }}"


Seen = Mapping[str, Mapping[str, Tried]]
_FORM = TypeAdapter(dict[str, dict[str, Tried]])


def read(path: Path = FILE) -> dict[str, dict[str, Tried]]:
    """Return what was seen, by image and package.

    Raises:
        KitError: the file is not of this form.
    """
    try:
        return _FORM.validate_python(tomllib.loads(path.read_text()))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise KitError(f"{path}: {error}") from error


def write(seen: Seen, path: Path = FILE) -> None:
    """Write the file."""
    tables = (
        f'\n["{tag}"]\n' + "".join(f"{name} = {tried.row}\n" for name, tried in packages.items())
        for tag, packages in seen.items()
    )
    path.write_text(HEAD + "".join(tables))


def taken_down(
    seen: Seen, tag: str, found: Mapping[str, Tried], order: Sequence[str]
) -> dict[str, dict[str, Tried]]:
    """Return what was seen, with what was found in an image put into its table.

    A reason is kept where the same fails as before: somebody may have put it into better words.

    Args:
        seen: what was seen before.
        tag: the image.
        found: what was seen now.
        order: the packages, as the table is to name them; what is not of them is left out.
    """
    before = seen.get(tag, {})
    renewed = {
        name: one.model_copy(update={"reason": old.reason})
        if (old := before.get(name)) and one.fails and old.fails == one.fails
        else one
        for name, one in found.items()
    }
    merged = {**before, **renewed}
    table = {name: merged[name] for name in order if name in merged}
    return {name: dict(packages) for name, packages in sorted({**seen, tag: table}.items())}
