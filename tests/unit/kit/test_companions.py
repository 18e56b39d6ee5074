"""docs/companions.md is about the releases and packages of the matrix, and shows what was seen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from scripts import matrix
from scripts.errors import KitError
from scripts.family import companions, refusals, tried
from scripts.family.companions import Notes, Resolved
from scripts.family.tried import Tried

KNOWN = matrix.load()
TEXT = companions.PAGE.read_text()
RELEASES = [tag.removesuffix("-cpu") for tag in KNOWN.image if tag.endswith("-cpu")]
# Package -> release -> what the table says.
CELLS = {
    cells[1].strip(" `"): dict(zip(RELEASES, (one.strip() for one in cells[2:-1]), strict=True))
    for line in TEXT.splitlines()
    if line.startswith("| `")
    for cells in [line.split("|")]
}
NOTED = dict(re.findall(r"^(\d+)\. (.+)$", TEXT, re.MULTILINE))
CELL = re.compile(
    r"(?P<refused>\*\*refused\*\*|refused) \((?P<why>\d+)\)"
    r"|(?P<failing>\S+) \*\*fails\*\* \((?P<what>\d+)\)|\*\*(?P<works>[^\s*]+)\*\*|[0-9][^\s*]*"
)


def test_the_page_is_of_all_releases_and_all_packages() -> None:
    assert companions.table(RELEASES, {}).splitlines()[0] in TEXT.splitlines()
    assert [*CELLS] == list(KNOWN.family.asked_for)


def test_every_refusal_and_every_failure_has_a_note() -> None:
    told = [CELL.fullmatch(one) for row in CELLS.values() for one in row.values()]
    assert all(told)
    assert {one["why"] or one["what"] for one in told if one} - {None} == NOTED.keys()
    assert all(len(note) > 20 for note in NOTED.values())


def test_what_fits_stands_in_the_page_as_the_matrix_says_it() -> None:
    for release, named in KNOWN.companions.items():
        # keras-nlp is there for what requires it, and nobody asks for it any more.
        for name, wanted in ((one, named[one]) for one in named if one != "keras-nlp"):
            said = CELLS[name][release].strip("*")
            refused = said.startswith("refused")
            assert refused or SpecifierSet(wanted).contains(said.split(" ")[0]), (name, release)
            assert refused or wanted != "<0"


def test_the_page_shows_what_was_seen() -> None:
    seen = tried.read()
    assert seen["2.15-cpu"].keys() == {*KNOWN.family.asked_for}
    for tag, packages in seen.items():
        assert [*packages] == [one for one in KNOWN.family.asked_for if one in packages]
        for package, one in packages.items():
            told = CELL.fullmatch(CELLS[package][tag.removesuffix("-cpu")])
            assert told
            if not one.fails:
                assert told["works"] == one.version
            elif one.version or told["failing"]:
                assert told["failing"] == (one.version or told["failing"])
                assert NOTED[told["what"]] == f"{one.fails}: {one.reason}"
            else:
                assert told["refused"] == "**refused**"
        assert f"`{tag}`" in TEXT


def test_what_is_not_tried_is_plain() -> None:
    untried = {release for release in RELEASES if f"{release}-cpu" not in tried.read()}
    assert all("**" not in row[release] for row in CELLS.values() for release in untried)


def test_equal_reasons_are_one_note() -> None:
    notes = Notes()
    rows = [
        companions.cell(Resolved("1.0"), None, notes),
        companions.cell(Resolved(reason="a"), None, notes),
        companions.cell(Resolved(reason="b"), Tried(fails="pip", reason="c"), notes),
        companions.cell(Resolved(reason="a"), Tried(fails="pip", reason="c"), notes),
        companions.cell(Resolved("2.0"), Tried(fails="pip", reason="too slow"), notes),
        companions.cell(Resolved("2.0"), Tried(version="1.9"), notes),
        companions.cell(Resolved("2.0"), Tried(version="1.9", fails="weights", reason="d"), notes),
    ]
    assert rows == [
        "1.0",
        "refused (1)",
        "**refused** (2)",
        "**refused** (1)",
        "2.0 **fails** (3)",
        "**1.9**",
        "1.9 **fails** (4)",
    ]
    assert notes.texts == ["a", "b", "pip: too slow", "weights: d"]


def test_a_row_has_the_reason_of_what_fails_and_nothing_else() -> None:
    for packages in tried.read().values():
        for one in packages.values():
            assert bool(one.fails) == bool(one.reason)
            assert bool(one.version) == (one.fails != "pip")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "companions.toml"
    old = {"2.15-cpu": {"a": Tried(version="1", fails="import", reason='"no" \\ ü'), "b": Tried()}}
    tried.write(old, file)
    assert tried.read(file) == old
    new = {
        "a": Tried(version="2", fails="import", reason="other words"),
        "b": Tried(fails="pip", reason="new"),
    }
    renewed = tried.taken_down(old, "2.15-cpu", {"a": new["a"], "c": new["b"]}, ["c", "b", "a"])
    kept = new["a"].model_copy(update={"reason": '"no" \\ ü'})
    assert [*renewed["2.15-cpu"].items()] == [("c", new["b"]), ("b", Tried()), ("a", kept)]
    assert [*tried.taken_down(old, "2.12-cpu", new, ["a"])] == ["2.12-cpu", "2.15-cpu"]
    file.write_text('["2.15-cpu"]\na = { fails = "luck" }\n')
    with pytest.raises(KitError, match="luck"):
        tried.read(file)


# As uv says it.
NOT_ANY = """error: No solution found when resolving dependencies
  cause: you require tf-keras<0, which does not allow any versions
"""
KERAS_HUB = """error: No solution found when resolving dependencies
  cause: Because tensorflow-text==2.13.0 has no wheels with a matching Python ABI tag (e.g.,
         `cp311`) and keras-hub<=0.18.1 depends on
         tensorflow-text{sys_platform != 'darwin'}>=2.13.0,<2.14.dev0, we can conclude that
         keras-hub<=0.18.1 cannot be used. (1)

         Because keras-hub>=0.19.0,<=0.21.1 depends on keras>=3.5 and keras-hub>=0.19.0 depends on
         keras==2.13.1, we can conclude that keras-hub>=0.19.0,<=0.21.1 cannot be used.
         And because keras-hub>=0.22.0 depends on keras>=3.8 and all of:
             keras-hub==0.19.0
             keras-hub>=0.25.0
         depend on keras==2.13.1, we can conclude that keras-hub>=0.22.0 cannot be used.

hint: keras-hub==9 depends on something>1
"""
PLATFORM = """error: No solution found when resolving dependencies
  cause: Because tfx-bsl>=1.17.0,<=1.17.1 has no wheels with a matching platform tag (e.g.,
         `manylinux_2_36_x86_64`), we can conclude that it cannot be used.
"""


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (NOT_ANY, "no version of it fits this release: the constraint is `tf-keras<0`"),
        (
            KERAS_HUB,
            "`keras-hub>=0.22.0` wants `keras>=3.8`; `keras-hub<=0.18.1` wants"
            " `tensorflow-text<2.14.dev0,>=2.13.0`; `tensorflow-text==2.13.0` has no wheel for the"
            " image's Python; constraints: `keras==2.13.1`, `tensorflow-text~=2.13.0`",
        ),
        (PLATFORM, "`tfx-bsl>=1.17.0,<=1.17.1` has no wheel for the image's glibc"),
        ("error: No solution found\n  cause: the moon is\n     full", "the moon is full"),
    ],
)
def test_uvs_message_becomes_a_line(said: str, reason: str) -> None:
    rows = {"keras": SpecifierSet("==2.13.1"), "tensorflow-text": SpecifierSet("~=2.13.0")}
    assert refusals.reason(said, rows) == reason
