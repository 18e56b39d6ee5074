"""What golden.json keeps, and what is said of a result that is in it, or is not."""

import datetime as dt
import json
from pathlib import Path

import pytest

from scripts import matrix
from scripts.contents import golden
from scripts.errors import KitError
from scripts.publish import changelog

DAY = dt.date(2026, 11, 26)
ONE, OTHER, NEW = ("1" * 64, "2" * 64, "3" * 64)
CPUINFO = """processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 17
model name\t: AMD EPYC
flags\t\t: fpu avx2 avx512f avx512_vnni

processor\t: 1
vendor_id\t: Other
"""


def seen(name: str) -> golden.Seen:
    return golden.Seen(processor=name, above_avx2=(), on=DAY)


def known() -> golden.Golden:
    first = golden.added(None, "2.15-cpu", ONE, 0.5, seen("A"))
    return golden.added(first, "2.15-cpu", OTHER, 0.6, seen("B"))


def test_the_first_processor_is_described() -> None:
    found = golden.described(CPUINFO, DAY)
    assert found.processor == "AMD EPYC (AuthenticAMD, family 25, model 17)"
    assert found.above_avx2 == ("avx512f", "avx512_vnni")


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (ONE, "the published bits, first seen on A, 2026-11-26"),
        (OTHER, "other bits than the published ones, first seen on B, 2026-11-26"),
        (NEW, "NOT the published bits, 111111111111, first seen on A, 2026-11-26: "),
    ],
)
def test_a_result_is_compared_with_those_that_are_known(weights: str, said: str) -> None:
    assert golden.compared(known(), weights).startswith(said)
    assert golden.compared(None, weights).startswith("nothing is published")


def test_a_processor_counts_once_a_result_and_the_first_result_stays_first() -> None:
    again = golden.added(known(), "2.15-cpu", ONE, 0.5, seen("A"))
    assert again == known()
    more = golden.added(again, "2.15-cpu", ONE, 0.5, seen("C"))
    assert [one.processor for one in more.digits[0].seen] == ["A", "C"]
    assert [result.weights for result in more.digits] == [ONE, OTHER]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / golden.NAME
    assert golden.read(file) is None
    golden.write(file, known())
    assert golden.read(file) == known()
    assert [each.name for each in tmp_path.iterdir()] == [golden.NAME]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> other\n",
        known().model_dump_json().replace(ONE, "short"),
        known().model_dump_json().replace('"version":1', '"version":2'),
        known().model_dump_json().replace('"digits"', '"figures"'),
    ],
)
def test_a_file_that_is_none_of_ours_is_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / golden.NAME
    file.write_text(text)
    with pytest.raises(KitError) as error:
        golden.read(file)
    assert str(error.value).startswith(f"{file} ")
    assert "\n" not in str(error.value)


def test_a_changelog_says_whether_the_bits_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(golden, "IMAGES", tmp_path)
    for tag, weights in (("2.15-cpu", ONE), ("2.16-cpu", OTHER), ("2.17-cpu", ONE)):
        (tmp_path / tag).mkdir()
        golden.write(golden.path(tag), golden.added(None, tag, weights, 0.5, seen("A")))
    family = matrix.load()

    def said(before: str, after: str) -> str:
        return changelog.bits(family, before, after)

    assert said("2.15-cpu", "2.17-cpu") == f"the example ends with the same bits, {ONE[:12]}"
    assert said("2.15.1-cpu", "2.16-cpu").endswith(f"other bits: {ONE[:12]} -> {OTHER[:12]}")
    for unknown in ("2.18-cpu", "2.15-gpu", f"sha256:{ONE}"):
        assert said("2.15-cpu", unknown).endswith(f"not known: none are published of {unknown}")


ROWS = {"rsqrt float32 7x13": "aa", "matmul float32 7x13 13x5": "bb", "lu float16 3x3": "TypeError"}


def test_of_the_ops_the_first_that_differs_is_named() -> None:
    assert golden.rows_compared(known(), ROWS).startswith("of the ops nothing is published")
    once = golden.with_rows(known(), ROWS, seen("A"))
    said = "the published bits in 3 ops and trainings, first seen on A, 2026-11-26"
    assert golden.rows_compared(once, ROWS) == said
    parted = {**ROWS, "matmul float32 7x13 13x5": "cc", "lu float16 3x3": "dd"}
    assert golden.rows_compared(once, parted).startswith(
        "NOT the published bits in matmul float32 7x13 13x5, the first that differs; first seen on"
    )


def test_the_ops_are_kept_with_each_processor_that_gave_them(tmp_path: Path) -> None:
    once = golden.with_rows(known(), ROWS, seen("A"))
    again = golden.with_rows(golden.with_rows(once, ROWS, seen("A")), ROWS, seen("C"))
    assert [one.processor for one in again.rows[0].seen] == ["A", "C"]
    other = golden.with_rows(again, {**ROWS, "rsqrt float32 7x13": "dd"}, seen("D"))
    assert [len(one.seen) for one in other.rows] == [2, 1]
    # A further sight of the example leaves them where they are.
    assert golden.added(other, "2.15-cpu", ONE, 0.5, seen("E")).rows == other.rows
    golden.write(tmp_path / "golden.json", other)
    assert golden.read(tmp_path / "golden.json") == other


def test_an_image_has_what_was_published_and_who_saw_it_first() -> None:
    """More processors leave it as it is, and so do the bits that others saw after them."""
    a, b = seen("A"), seen("B")
    first = golden.with_rows(golden.added(None, "t", "0" * 64, 0.5, a), {"a": "1"}, a)
    later = golden.with_rows(first, {"a": "1"}, b)
    assert golden.published(golden.with_rows(later, {"a": "2"}, b)) == golden.published(first)
    assert json.loads(golden.published(first)) == {
        "version": golden.VERSION,
        "parts": list(golden.PARTS),
        "first_seen": str(a),
        "outcomes": {"a": "1"},
    }
    assert json.loads(golden.published(None))["outcomes"] == {}
