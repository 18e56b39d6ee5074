"""What is said of rows that differ between processors, and of what could not be run."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from unittest.mock import Mock

import pytest

from scripts import matrix
from scripts.build.build import Built, Materials
from scripts.engine import containers
from scripts.engine.containers import Finished
from scripts.errors import KitError
from scripts.proof.reach import compare, known, processors, qemu, reach, report, results, running
from scripts.proof.reach.compare import NOT_RUN, Verdict
from scripts.proof.reach.known import Known
from scripts.proof.reach.processors import NATIVE, Processor
from scripts.proof.reach.results import Part, Row, Seen, Taken

SEEN = Seen(processor="One", vendor="Somebody", caches=("L1 32 KiB",), rows=3)
ONE_CPU = Processor("1 CPU", cpus=1)
EMULATED = Processor("EPYC", "EPYC")
OTHER = Processor("Haswell", "Haswell-noTSX")
BUILT = Built(("org/image:tag",), "sha256:1", {}, Materials((), (), {}), "")
DAY = dt.date(2026, 11, 28)


def row(name: str, digest: str = "", error: str = "", size: str = "13") -> Row:
    return Row(row=name, type="float32", size=size, digest=digest, error=error)


def taken(processor: Processor, *rows: Row, problem: str = "") -> Taken:
    return Taken(processor, (Part(SEEN, rows, problem),))


def known_rows(*rows: str, seen: str = SEEN.kind) -> dict[str, Known]:
    return {row: Known(reason="an estimate", seen=(seen,), rows=rows) for row in rows}


def judged(*more: Taken, listed: Sequence[str] = (), whole: bool = True) -> Verdict:
    native = taken(NATIVE, row("exp", "1"), row("rsqrt", "2"))
    return compare.judged([native, *more], known_rows(*listed), whole=whole)


def test_all_the_same_is_no_error() -> None:
    found = judged(taken(EMULATED, row("exp", "1"), row("rsqrt", "2")))
    assert (found.exit_code, found.compared, found.differing) == (0, 2, ())


def test_what_differs_and_is_not_listed_is_an_error() -> None:
    found = judged(taken(EMULATED, row("exp", "1"), row("rsqrt", "3")))
    assert found.exit_code == 1
    assert [one.row.name for one in found.unknown] == ["rsqrt float32 13"]
    assert [one.marks for one in found.differing] == [("A", "B")]


def test_what_differs_and_is_listed_is_none() -> None:
    other = taken(EMULATED, row("exp", "1"), row("rsqrt", "3"))
    found = judged(other, listed=["rsqrt float32"])
    assert (found.exit_code, found.unknown, len(found.differing)) == (0, (), 1)


def test_another_type_of_what_is_listed_is_not() -> None:
    other = taken(EMULATED, row("exp", "1"), row("rsqrt", "3"))
    assert judged(other, listed=["rsqrt float16"]).exit_code == 1


def test_what_is_listed_and_differs_no_longer_is_an_error_where_all_was_asked() -> None:
    other = taken(EMULATED, row("exp", "1"), row("rsqrt", "2"))
    found = judged(other, listed=["rsqrt float32"])
    assert (found.exit_code, found.stale) == (1, ("rsqrt float32",))
    assert judged(other, listed=["rsqrt float32"], whole=False).exit_code == 0


def test_what_is_listed_for_another_machine_is_not_missed() -> None:
    both = [taken(each, row("rsqrt", "2")) for each in (NATIVE, EMULATED)]
    found = compare.judged(both, known_rows("rsqrt float32", seen="Another"))
    assert (found.exit_code, found.stale, found.elsewhere) == (0, (), ("rsqrt float32",))
    assert SEEN.kind == "One, L1 32 KiB"


def test_the_number_of_cpus_is_never_a_reason() -> None:
    """Nothing is emulated, so that no difference of processors explains it."""
    one_cpu = taken(ONE_CPU, row("exp", "1"), row("rsqrt", "3"))
    found = judged(one_cpu, listed=["rsqrt float32"])
    assert found.exit_code == 1
    assert [one.natively for one in found.unknown] == [True]


def test_an_error_on_one_processor_is_a_difference_and_everywhere_none() -> None:
    crashed = row("exp", error="Ended: the process")
    found = judged(taken(EMULATED, crashed, row("rsqrt", "2")))
    assert [one.marks for one in found.unknown] == [("A", "Ended")]
    both = [
        taken(each, row("exp", error=f"NotFoundError: {each.name}")) for each in (NATIVE, OTHER)
    ]
    verdict = compare.judged(both, {})
    assert (verdict.exit_code, verdict.errors, verdict.compared) == (0, 1, 0)


def test_what_was_not_run_is_said_and_does_not_pass() -> None:
    found = judged(taken(EMULATED, row("exp", "1"), problem="ops took longer than 9 s"))
    assert found.exit_code == 3
    assert found.missing == ("EPYC: ops took longer than 9 s",)
    (missing,) = compare.compared([taken(NATIVE, row("a", "1")), taken(EMULATED)])
    assert (missing.marks, missing.differs) == (("A", NOT_RUN), False)


def test_three_results_have_three_letters() -> None:
    three = [
        taken(each, row("exp", digest))
        for each, digest in zip((NATIVE, EMULATED, OTHER, ONE_CPU), "1232", strict=True)
    ]
    (found,) = compare.compared(three)
    assert found.marks == ("A", "B", "C", "B")


def printed(*rows: Row, count: int = 3) -> str:
    head = SEEN.model_copy(update={"rows": count}).model_dump_json()
    lines = [one.model_dump_json(exclude_defaults=True) for one in rows]
    return "\n".join((head, "a library says something {}", *lines, ""))


def runner(
    monkeypatch: pytest.MonkeyPatch, *ends: tuple[int, str]
) -> tuple[running.Runner, list[list[str]]]:
    """Return what runs, in an engine whose processes end like this, and their commands."""
    asked: list[list[str]] = []
    left: Iterator[tuple[int, str]] = iter(ends)

    def run(_: object, __: str, argv: list[str], **___: object) -> Finished:
        asked.append(argv)
        code, stdout = next(left)
        return Finished(code, stdout, "the last words\n", 1.0)

    monkeypatch.setattr(containers, "run", run)
    return running.Runner(Mock(), "image", Path("/somewhere/qemu")), asked


def test_a_row_that_ends_the_process_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    first, ended, last = row("a", "1"), row("b", error="Ended: the process"), row("c", "3")
    one, asked = runner(monkeypatch, (139, printed(first)), (0, printed(ended, last)))
    part = one.part(EMULATED, "ops")
    assert (part.rows, part.problem) == ((first, ended, last), "")
    assert "--ended=1" in asked[1]
    assert not any(word.startswith("--ended") for word in asked[0])


def test_a_part_whose_rows_all_end_the_process_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = [(139, printed(row(str(number), "1"), count=99)) for number in range(99)]
    one, asked = runner(monkeypatch, *ends)
    part = one.part(EMULATED, "xla")
    assert len(asked) == running.MOST_ENDS
    assert part.problem == "xla ended 50 times: 49 rows did not run"


@pytest.mark.parametrize("code", running.TIMED_OUT)
def test_a_process_that_hangs_says_where(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = runner(monkeypatch, (code, printed(row("a", "1"), row("b", "2"))))
    part = one.part(EMULATED, "xla")
    assert part.problem == "xla took longer than 1800 s: 1 rows did not run, after b float32 13"


def test_a_process_that_does_not_begin_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = runner(monkeypatch, (1, ""))
    with pytest.raises(KitError, match=r"^ops as EPYC exited with 1: the last words$"):
        one.part(EMULATED, "ops")


def test_what_is_cut_off_is_no_row() -> None:
    seen, rows = results.printed(printed(row("a", "1")) + '{"row": "b", "ty')
    assert seen is not None
    assert [one.row for one in rows] == ["a"]


def test_a_process_is_emulated_within_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    one, asked = runner(monkeypatch, *[(0, printed(count=0))] * 2)
    one.part(OTHER, "xla")
    one.part(NATIVE, "xla")
    emulated = "timeout --kill-after=10 1800 /work/qemu -cpu Haswell-noTSX /opt/venv/bin/python"
    assert " ".join(asked[0]).startswith(emulated)
    assert asked[1][3] == "/opt/venv/bin/python"


@pytest.mark.parametrize(("cpus", "few"), [(1, []), (2, ["1 CPU"]), (8, ["1 CPU", "2 CPU"])])
def test_natively_it_runs_on_some_of_the_cpus_too(cpus: int, few: list[str]) -> None:
    found = list(processors.chosen(cpus, sample=False))
    native = [one for one in found if not one.model]
    assert [one.name for one in native] == ["native", *few]
    assert len(found) - len(native) == len(processors.MODELS)
    assert [one.settings.get("cpuset_cpus") for one in native] == [None, "0-0", "0-1"][
        : len(native)
    ]


def test_processes_side_by_side_keep_their_places(monkeypatch: pytest.MonkeyPatch) -> None:
    def part(_: object, processor: Processor, name: str, __: Callable[[str], None]) -> Part:
        return Part(SEEN, (row(name, processor.name),))

    monkeypatch.setattr(running.Runner, "part", part)
    found = reach.take(running.Runner(Mock(), "image", Path("qemu")), (NATIVE, OTHER), jobs=3)
    assert [one.processor for one in found] == [NATIVE, OTHER]
    for one in found:
        assert [(each.row, each.digest) for each in one.rows.values()] == [
            (name, one.processor.name) for name in running.LIMITS
        ]


@pytest.mark.parametrize(("sample", "all_of_them"), [(True, 1), (False, len(processors.MODELS))])
def test_who_wants_one_processor_waits_for_no_other(*, sample: bool, all_of_them: int) -> None:
    def emulated(*models: str) -> list[str]:
        return [one.model for one in processors.chosen(1, models, sample=sample) if one.model]

    assert emulated("EPYC") == ["EPYC"]
    assert emulated() == list(processors.MODELS[:all_of_them])
    assert not reach.Asked(models=("EPYC",)).is_whole
    assert reach.Asked().is_whole


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ({"parts": ("ops", "ops2")}, r"^no such part: ops2; there are arrays, ops, "),
        ({"models": ("486",)}, r"^no such processor: 486; there are Haswell-noTSX, .*EPYC-Milan$"),
    ],
)
def test_what_there_is_not_is_one_line(asked: dict[str, tuple[str, ...]], wrong: str) -> None:
    with pytest.raises(KitError, match=wrong):
        reach.Asked(**asked)  # type: ignore[arg-type]  # mypy takes `sample` for one of them


@pytest.mark.parametrize(
    "text",
    [
        "[",
        'row = "exp"',
        '["2.15-cpu"]\nrows = ["a"]',
        '[["2.15-cpu"]]\nreason = "r"\nrows = ["a"]',
        '[["2.15-cpu"]]\nreason = "r"\nseen = ["x"]\nrows = []',
        '[["2.15-cpu"]]\nreason = ""\nseen = ["x"]\nrows = ["a"]',
        '[["2.15-cpu"]]\nreason = "r"\nseen = ["x"]\nrows = ["a", "a"]',
    ],
)
def test_a_list_of_another_form_is_an_error_that_names_the_file(text: str, tmp_path: Path) -> None:
    path = tmp_path / "reach.toml"
    path.write_text(text)
    with pytest.raises(KitError, match=str(path)):
        known.read("2.15-cpu", path)


def test_the_list_is_read_by_image(tmp_path: Path) -> None:
    path = tmp_path / "reach.toml"
    path.write_text('[["2.15-cpu"]]\nreason = "r"\nseen = ["x"]\nrows = ["a", "b"]\n')
    assert {row: one.reason for row, one in known.read("2.15-cpu", path).items()} == {
        "a": "r",
        "b": "r",
    }
    assert known.read("2.21-cpu", path) == {}


def test_the_committed_list_is_about_images_of_the_matrix() -> None:
    listed = known.tags()
    assert "2.15-cpu" in listed
    assert listed <= {one.tag for one in matrix.load().choose("all")}


def test_the_table_and_the_file_say_what_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = [
        taken(NATIVE, row("exp", "1"), row("rsqrt", "2"), row("sin", "5")),
        taken(EMULATED, row("exp", "1"), row("rsqrt", "3"), row("sin", "6"), problem="slow"),
    ]
    listed = known_rows("rsqrt float32")
    verdict = compare.judged(both, listed)
    report.show(both, verdict, listed, BUILT, "qemu 7.2")
    said = " ".join(capsys.readouterr().out.split())
    for words in (
        *("native: One (Somebody; L1 32 KiB)", "EPYC: qemu 7.2, -cpu EPYC: One"),
        *("an estimate", report.NEW, "1 rows are the same everywhere, 2 differ"),
        *("NOT listed in images/reach.toml: sin float32", "NOT all was run: EPYC: slow"),
    ):
        assert words in said
    path = tmp_path / "found.json"
    report.write(path, both, verdict, BUILT, "qemu 7.2", DAY)
    found = json.loads(path.read_text())
    assert found["differing"] == ["rsqrt float32 13", "sin float32 13"]
    assert found["unknown"] == ["sin float32 13"]
    assert found["processors"][1]["outcomes"]["exp float32 13"] == "1"
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_the_machines_own_emulator_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / qemu.NAME
    own.write_text("#!/bin/sh\necho qemu-x86_64 version 7.2\necho Copyright\n")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert qemu.program() == own
    assert qemu.version(own) == "qemu-x86_64 version 7.2"


def test_the_emulator_of_debian_is_downloaded_once(
    data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unpacked(work: Path) -> Path:
        (work / "qemu").write_text("the emulator")
        return work / "qemu"

    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(qemu, "_unpacked", unpacked)
    kept = qemu.program()
    assert kept.is_relative_to(data_root)
    monkeypatch.setattr(qemu, "_unpacked", Mock(side_effect=AssertionError))
    assert qemu.program().read_text() == "the emulator"
