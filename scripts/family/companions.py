"""docs/companions.md: what people put on these images, and which version fits which release.

`make companions` asks the index, with uv, what each package resolves to under the constraints of an
image. Nothing is installed for it; what was seen where packages were installed is in
images/companions.toml, and the page shows both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.build import constraints
from scripts.errors import KitError
from scripts.family import refusals, tried
from scripts.family.tried import Tried
from scripts.locks.lock import REQUIREMENTS_LOCK
from scripts.locks.wheels import obtain, read_lock, uv_compile
from scripts.matrix import Chosen, Matrix
from scripts.places import IMAGES, REPO, scratch
from scripts.processes import finish, last_words
from scripts.ui import stage

PAGE = REPO / "docs/companions.md"
# CPU images: a GPU image of a release has the same constraints, and CUDA's wheels beside them.
DEVICE = "cpu"
HEAD = """<!-- Made by `make companions` from images/matrix.toml, images/companions.toml, the locks
and the package index; do not edit. -->
# Companions

What people put on these images, and what `pip install` of it takes under the
[constraints](glossary.md#constraints) of a CPU image. Each package is on its own, with all that it
requires.

- A version in **bold** was installed in the image, and everything works: the package can be
  imported, `import tensorflow, keras` prints nothing that it does not print without the package,
  `pip check` and `uv pip check` find no conflict, and the example trains to the same weights, bit
  for bit. [test_companions.py](../tests/image/test_companions.py) does that.
- A version that **fails** was tried, too: the note says what does not work.
- **refused** in bold: pip was seen to stop, and said which constraint it is against.
- All else is resolved with uv for the image's Python and platform on {on}, and not
  installed. Such a version says what pip takes, and not that it works with that release.

The numbers are those of the notes below. Packages were installed in {installed}. How to
install one that is refused, knowingly, says
[what is installed on top](derive.md#what-is-installed-on-top).

"""
NOTES = """
## Notes

Who wants what, and the constraint that is against it. Of several versions that are refused for one
reason, the newest are named.

"""


@dataclass(frozen=True)
class Resolved:
    """What a package resolves to: a version, or the reason why there is none."""

    version: str = ""
    reason: str = ""


@dataclass
class Notes:
    """The page's notes, each once, numbered from 1."""

    texts: list[str] = field(default_factory=list)

    def number(self, text: str) -> int:
        """Return the number of a note, which is added if it is new."""
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text) + 1


def resolved(package: str, chosen: Chosen, rows: str, work: Path) -> Resolved:
    """Return the version that a package resolves to in an image, or why there is none.

    Args:
        package: its name.
        chosen: which image.
        rows: the image's constraints file.
        work: a folder for it.

    Raises:
        KitError: uv cannot ask the index.
    """
    file = work / "constraints.txt"
    file.write_text(rows)
    plain = ("--no-header", "--no-annotate", "--constraint", file)
    done = finish([*uv_compile(chosen.base), *plain], input=package)
    if done.returncode:
        if "No solution found" not in done.stderr:
            raise KitError(f"{package} in {chosen.tag}: {last_words(done.stderr)}")
        allowed = {one.name: one.specifier for one in map(Requirement, rows.splitlines())}
        return Resolved(reason=refusals.reason(done.stderr, allowed))
    found = dict(line.split("==", 1) for line in done.stdout.splitlines() if "==" in line)
    return Resolved(found[str(canonicalize_name(package))].split(" ")[0])


def cell(one: Resolved, seen: Tried | None, notes: Notes) -> str:
    """Return what the table says of a package in a release.

    Args:
        one: what it resolves to.
        seen: what was seen where it was installed, None if it was not.
        notes: where a reason is put.
    """
    if seen is None:
        return one.version or f"refused ({notes.number(one.reason)})"
    if not seen.fails:
        return f"**{seen.version}**"
    if not seen.version and one.reason:
        return f"**refused** ({notes.number(one.reason)})"
    version = seen.version or one.version
    return f"{version} **fails** ({notes.number(f'{seen.fails}: {seen.reason}')})"


def table(releases: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    """Return the page's table: a row for each package, a column for each release."""
    lines = [f"| package | {' | '.join(releases)} |", f"|---|{'---|' * len(releases)}"]
    lines += [f"| `{package}` | {' | '.join(row)} |" for package, row in rows.items()]
    return "\n".join(lines) + "\n"


def page(on: str, columns: Mapping[str, Mapping[str, Resolved]], seen: tried.Seen) -> str:
    """Return the page.

    Args:
        on: the day on which the packages were resolved.
        columns: release -> package -> what it resolves to.
        seen: image -> package -> what was seen.
    """
    notes, rows = Notes(), dict[str, list[str]]()
    for release, column in columns.items():
        installed = seen.get(f"{release}-{DEVICE}", {})
        for package, one in column.items():
            rows.setdefault(package, []).append(cell(one, installed.get(package), notes))
    tags = [tag for tag in seen if tag.endswith(f"-{DEVICE}")]
    head = HEAD.format(on=on, installed=", ".join(f"`{tag}`" for tag in tags) or "no image")
    numbered = "".join(f"{number}. {text}\n" for number, text in enumerate(notes.texts, 1))
    return head + table([*columns], rows) + (NOTES + numbered if numbered else "")


def write(known: Matrix, on: str) -> Path:
    """Ask for every package and release, and write the page.

    Args:
        known: the matrix.
        on: the day, which the page names.
    """
    columns = {}
    with scratch() as work:
        for chosen in (known.named(tag) for tag in known.image if tag.endswith(f"-{DEVICE}")):
            locked = read_lock(IMAGES / chosen.tag / REQUIREMENTS_LOCK)
            obtain(locked, chosen.base)
            rows = constraints.text(locked, chosen)
            with stage(f"what fits {chosen.tag}"):
                columns[chosen.tag.removesuffix(f"-{DEVICE}")] = {
                    each: resolved(each, chosen, rows, work) for each in known.family.asked_for
                }
    PAGE.write_text(page(on, columns, tried.read()))
    return PAGE
