"""Halving images and packages, with engines and trainings that are made up."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts import matrix
from scripts.build import build, in_between
from scripts.engine.engine import Engine
from scripts.errors import KitError
from scripts.locks import wheels
from scripts.locks.wheels import Wheel
from scripts.proof import bisect, verify
from scripts.proof.verify import Asked

BEFORE = {"absl-py": "1", "keras": "2", "numpy": "1", "six": "1", "tensorflow-cpu": "15"}
AFTER = {**BEFORE, "absl-py": "2", "keras": "3", "numpy": "2", "six": "2"}


@given(st.integers(1, 60), st.data())
def test_the_first_bad_one_is_found_by_few_questions(count: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, count))
    unknown = data.draw(st.sets(st.integers(1, count), max_size=4)) - {count}
    asked = []

    def is_bad(number: int) -> bool | None:
        asked.append(number)
        return None if number in unknown else number >= first

    last, found = bisect.halved(0, count, is_bad)
    assert last < first <= found
    assert set(range(last + 1, found)) <= unknown
    assert len(asked) == len(set(asked)) <= count.bit_length() + len(unknown) + 1


def test_what_lies_between_two_tags() -> None:
    known = matrix.load()
    assert bisect.between(known, "2.15-cpu", "2.18-cpu") == [
        f"2.{minor}-cpu" for minor in range(15, 19)
    ]
    assert bisect.between(known, "2.16-gpu", "2.15-gpu") == ["2.16-gpu", "2.15-gpu"]
    for good, bad, words in (
        ("2.15-cpu", "2.16-gpu", "for the same device"),
        ("2.15-cpu", "2.15-cpu", "name two images"),
        ("2.15-cpu", "9.9-cpu", "no such image"),
    ):
        with pytest.raises(KitError, match=words):
            bisect.between(known, good, bad)


class Family:
    """Images and what trainings end with in them: 2.16 and later give other bits, by a package."""

    def __init__(self, culprits: Sequence[str], broken: Sequence[str] = ()) -> None:
        self.culprits, self.broken = set(culprits), set(broken)
        self.ran: list[str] = []

    def outcome(self, name: str) -> str:
        """Return the bits of an image, by its name or the packages that it was given."""
        tag, _, moved = name.partition("+")
        names = set(moved.split(",")) if moved else set()
        if tag in self.broken or (names & self.broken and not self.broken <= names):
            raise KitError(f"{name} fails")
        return "right" if tag == "2.15-cpu" and not names & self.culprits else "others"


@pytest.fixture
def family(monkeypatch: pytest.MonkeyPatch) -> Family:
    made = Family(["numpy"])

    class Image:
        def __init__(self, name: str) -> None:
            self.name = name

    def run(_: Engine, built: Image, asked: Asked) -> int:
        made.ran.append(built.name)
        bits = made.outcome(built.name)
        asked.into.mkdir(parents=True)
        results = {"exit_status": 0, "steps": 3, "last_loss": bits, "last_weights_digest": bits}
        passport = {"results": {**results, "metrics": {"loss": 0.5}, "final_weights": ""}}
        (asked.into / "passport.json").write_text(json.dumps(passport))
        return 0

    @contextmanager
    def between(_: Engine, start: Image, __: object, moved: Sequence[Wheel]) -> Iterator[Image]:
        yield Image(f"{start.name}+{','.join(one.name for one in moved)}")

    def lock(path: Path) -> tuple[Wheel, ...]:
        versions = BEFORE if path.parent.name <= "2.15-cpu" else AFTER
        return tuple(Wheel(name, version, "", "", 0) for name, version in versions.items())

    monkeypatch.setattr(verify, "verify", run)
    monkeypatch.setattr(build, "build", lambda chosen, _: Image(chosen.tag))
    monkeypatch.setattr(in_between, "built", between)
    monkeypatch.setattr(wheels, "read_lock", lock)
    return made


def said(capsys: pytest.CaptureFixture[str], engine: Engine, folder: Path, bad: str) -> str:
    asked = Asked(Path("train.py"), (), 2, (), folder)
    bisect.bisect(engine, matrix.load(), asked, "2.15-cpu", bad)
    output = capsys.readouterr()
    return " ".join((output.out + output.err).split())


def test_the_image_and_the_package_are_named(
    family: Family, no_engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = said(capsys, no_engine, tmp_path, "2.21-cpu")
    assert "2.16-cpu is the first with other bits than 2.15-cpu" in words
    assert "the bits move with numpy 1 -> 2" in words
    assert len(family.ran) <= 9


def test_one_of_the_other_packages_is_found_among_them(
    family: Family, no_engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    family.culprits = {"six"}
    assert "the bits move with six 1 -> 2" in said(capsys, no_engine, tmp_path, "2.16-cpu")


def test_packages_that_run_together_alone_are_named_together(
    family: Family, no_engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    family.culprits, family.broken = {"keras", "numpy"}, {"keras", "numpy"}
    words = said(capsys, no_engine, tmp_path, "2.16-cpu")
    assert "the bits move with numpy 1 -> 2, keras 2 -> 3; nothing in between runs" in words


def test_an_image_in_which_the_script_fails_is_passed_over(
    family: Family, no_engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    family.broken = {"2.16-cpu"}
    words = said(capsys, no_engine, tmp_path, "2.17-cpu")
    assert "2.17-cpu is the first with other bits than 2.15-cpu; 2.16-cpu cannot be told" in words


def test_what_no_package_moves_is_said(
    family: Family, no_engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    family.culprits = set()
    words = said(capsys, no_engine, tmp_path, "2.16-cpu")
    assert "no package moves them: they move with what else differs" in words


def test_the_same_bits_leave_nothing_to_look_for(
    family: Family, no_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(family, "outcome", lambda _: "right")
    asked = Asked(Path("train.py"), (), 2, (), tmp_path)
    with pytest.raises(KitError, match="end with the same bits: nothing to look for"):
        bisect.bisect(no_engine, matrix.load(), asked, "2.15-cpu", "2.16-cpu")


def test_what_is_not_the_same_twice_cannot_be_asked(
    family: Family, no_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not family.ran
    monkeypatch.setattr(verify, "verify", lambda *_: 1)
    asked = Asked(Path("train.py"), (), 2, (), tmp_path)
    with pytest.raises(KitError, match="is not the same twice in"):
        bisect.bisect(no_engine, matrix.load(), asked, "2.15-cpu", "2.16-cpu")
