"""docs/companions.md: what people put on these images, and which version fits which release.

`make companions` asks the index, with uv, what each package resolves to under the constraints of an
image. Nothing is installed for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from scripts.build import constraints
from scripts.errors import KitError
from scripts.locks.lock import REQUIREMENTS_LOCK
from scripts.locks.wheels import obtain, read_lock, uv_compile
from scripts.matrix import Chosen, Matrix
from scripts.places import IMAGES, REPO, scratch
from scripts.processes import run
from scripts.ui import stage

PAGE = REPO / "docs/companions.md"
# CPU images: a GPU image of a release has the same constraints, and CUDA's wheels beside them.
DEVICE = "cpu"
HEAD = """<!-- Made by `make companions` from images/matrix.toml, the locks and the package index;
do not edit. -->
# Companions

What people put on these images, and what `pip install` of it takes under the
[constraints](glossary.md#constraints) of a CPU image: the version, or a refusal. Resolved with uv
for the image's Python and platform on {on}, without installing. What the tests really install:
[test_derived.py](../tests/image/test_derived.py).
A version here says what pip takes, and not that the package works with that release.

"""


def resolved(package: str, chosen: Chosen, rows: Path) -> str:
    """Return the version that a package resolves to in an image, or a word that there is none.

    Args:
        package: its name.
        chosen: which image.
        rows: the image's constraints file.
    """
    plain = ("--no-header", "--no-annotate", "--constraint", rows)
    try:
        said = run([*uv_compile(chosen.base), *plain], stdin=package, error=package)
    except KitError:
        return "refused"
    found = dict(line.split("==", 1) for line in said.splitlines() if "==" in line)
    version = found.get(str(canonicalize_name(package)), "refused")
    return version.split(" ")[0]


def table(releases: Sequence[str], versions: Iterable[tuple[str, Sequence[str]]]) -> str:
    """Return the page's table: a row for each package, a column for each release."""
    lines = [f"| package | {' | '.join(releases)} |", f"|---|{'---|' * len(releases)}"]
    lines += [f"| `{package}` | {' | '.join(row)} |" for package, row in versions]
    return "\n".join(lines) + "\n"


def write(known: Matrix, on: str) -> Path:
    """Ask for every package and release, and write the page.

    Args:
        known: the matrix.
        on: the day, which the page names.
    """
    images = [known.named(tag) for tag in known.image if tag.endswith(f"-{DEVICE}")]
    columns: list[list[str]] = []
    with scratch() as work:
        for chosen in images:
            locked = read_lock(IMAGES / chosen.tag / REQUIREMENTS_LOCK)
            obtain(locked, chosen.base)
            rows = work / f"{chosen.tag}.txt"
            rows.write_text(constraints.text(locked, chosen))
            with stage(f"what fits {chosen.tag}"):
                columns.append([resolved(each, chosen, rows) for each in known.family.asked_for])
    releases = [chosen.tag.removesuffix(f"-{DEVICE}") for chosen in images]
    versions = zip(known.family.asked_for, zip(*columns, strict=True), strict=True)
    PAGE.write_text(HEAD.format(on=on) + table(releases, versions))
    return PAGE
