"""docs/companions.md is about the releases and packages that the matrix names."""

import re

from scripts import matrix
from scripts.family import companions


def test_the_page_is_of_all_releases_and_all_packages() -> None:
    known = matrix.load()
    releases = [tag.removesuffix("-cpu") for tag in known.image if tag.endswith("-cpu")]
    heading, _, *rows = [
        line for line in companions.PAGE.read_text().splitlines() if line.startswith("|")
    ]
    assert heading == companions.table(releases, []).splitlines()[0]
    assert [re.findall(r"`(.*?)`", row)[0] for row in rows] == list(known.family.asked_for)
    assert {len(row.split("|")) for row in rows} == {len(releases) + 3}


def test_what_fits_stands_in_the_page_as_the_matrix_says_it() -> None:
    rows = {
        cells[1].strip(" `"): [cell.strip() for cell in cells[2:-1]]
        for line in companions.PAGE.read_text().splitlines()
        if line.startswith("| `")
        for cells in [line.split("|")]
    }
    named = matrix.load().companions.values()
    for name in ("tf-keras", "tensorflow-probability", "tensorflow-text"):
        for version, release in zip(rows[name], named, strict=True):
            wanted = release[name]
            assert version == "refused" or version.startswith(wanted[2:].rpartition(".")[0])
            assert wanted != "<0" or version == "refused"
