"""The command line, on programs that need no TensorFlow."""

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.unit.runtime.conftest import RUNTIME, Interpreter, python
from tests.unit.runtime.verify.made_up import Row, digests, rows, run, steps_of
from tf_repro import __main__ as tf_repro
from tf_repro.verify.reporting import golden as golden_passport
from tf_repro.verify.reporting import page, passport
from tf_repro.verify.running import git_commit
from tf_repro.verify.running.progress import Progress
from tf_repro.verify.running.run import Ended
from tf_repro.verify.verdict import judge

__all__ = ["python"]

SAME = "import pathlib, sys; pathlib.Path('out.csv').write_text('1'); print(sys.argv)"
CHANCE = "import os, pathlib; pathlib.Path('out.bin').write_bytes(os.urandom(9))"


def verify(python: Interpreter, *argv: str) -> tuple[int, str, str]:
    done = python("-m", "tf_repro", "verify", *argv)
    return done.returncode, done.stdout, done.stderr


def test_identical_programs(python: Interpreter, tmp_path: Path) -> None:
    argv = ["--json", f"{tmp_path}/o.json", "--passport", f"{tmp_path}/p.json"]
    status, out, err = verify(python, *argv, "--", sys.executable, "-c", SAME)
    assert status == 0, out + err
    assert "3 of 3 runs identical" in out
    assert "run 3 of 3: exit status 0" in err
    assert json.loads((tmp_path / "o.json").read_text())["identical"] is True
    assert not (tmp_path / "out.csv").exists()  # the working folder stays as it was


def test_a_program_that_chance_decides(python: Interpreter, tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    argv = ("--runs", "2", "--jobs", "2", "--keep", str(keep), "--", sys.executable, "-c", CHANCE)
    status, out, _ = verify(python, *argv)
    assert status == 1
    assert "1 of 2 runs DIFFER" in out
    assert "files: out.bin: 9 and 9 bytes" in out
    judged = python("-m", "tf_repro", "judge", str(keep))
    assert (judged.returncode, judged.stdout) == (1, out)


def test_the_time_left_falls_while_a_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    progress = Progress(3)
    assert progress._left() == ""
    now[0] += 4
    progress.done(1, Ended([], 0, 4.0))
    assert progress._left() == ", about 8 s left"
    now[0] += 3
    assert progress._left() == ", about 5 s left"
    now[0] += 60
    assert progress._left() == ", about 0 s left"


def test_an_interrupt_ends_it_in_one_line(tmp_path: Path) -> None:
    program = "print('begun', flush=True); import time; time.sleep(60)"
    argv = ["verify", "--runs", "2", "--keep", "kept", "--", sys.executable, "-c", program]
    running = subprocess.Popen(
        # These tests may be a shell's background job: that ignores interrupts, with all below it.
        ["env", "--default-signal=INT", sys.executable, "-m", "tf_repro", *argv],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(RUNTIME)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a terminal interrupts the program, too
    )
    out = tmp_path / "kept/run-1/stdout.txt"
    while not (out.exists() and out.read_text()):
        assert running.poll() is None
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGINT)
    _, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert err.splitlines()[-1] == "tf-repro: interrupted"
    assert "Traceback" not in err


def test_a_program_that_fails_the_same_way(python: Interpreter) -> None:
    status, _, err = verify(python, "--", sys.executable, "-c", "raise SystemExit('no data')")
    assert status == 2
    assert err.splitlines()[-1].endswith("exited with 1: no data")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--", "/nowhere/python"], "/nowhere/python: No such file"),
        (["--runs", "1", "--", "true"], "'1' is not a whole number from 2 up"),
        (["--tolerance", "-1", "--", "true"], "'-1' is not a number"),
        (["--keep", ".", "--", "true"], "is there already"),
        (["--keep", "/proc/x", "--", "true"], "/proc/x: No such file or directory"),
        (["--artifacts", "/nowhere", "--", "true"], "/nowhere: the program has made no such"),
        (["--", "sh", "-c", "exit 3"], "sh -c exit 3 exited with 3: nothing on stderr"),
        (["--json", "/nowhere/x.json", "--runs", "2", "--", "true"], "there is no folder /nowhere"),
    ],
)
def test_bad_input_is_one_clear_line(python: Interpreter, argv: list[str], words: str) -> None:
    status, _, err = verify(python, *argv)
    assert status == 2
    assert words in err.splitlines()[-1]
    assert "Traceback" not in err


def test_judging_takes_two(python: Interpreter, tmp_path: Path) -> None:
    done = python("-m", "tf_repro", "judge", str(tmp_path))
    assert done.returncode == 2
    assert "fewer than two recorded runs" in done.stderr


class Links(HTMLParser):
    """Collects what a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note scripts and addresses."""
        self.found += [tag] if tag == "script" else []
        self.found += [value or "" for name, value in attrs if name in {"src", "href"}]


def test_the_page_is_whole_by_itself(tmp_path: Path) -> None:
    changed = rows("off")
    steps_of(changed)[3]["gradients"] = digests(1, 2)
    steps_of(changed)[2]["generators"] = {}
    changed[0]["cpu"] = "<b>"
    runs = [run(tmp_path / "1", rows("off")), run(tmp_path / "2", changed)]
    text = page.render(judge(runs, tolerance=0, with_stdout=False))
    links = Links()
    links.feed(text)
    assert links.found == []
    assert "url(" not in text
    assert "<b>" not in text
    assert "the runs part at step 4" in text
    assert len(re.findall("cell differs", text)) == 1
    assert len(re.findall("cell aside.*?<title>random state, step 3: differs", text)) == 1
    assert "TF_REPRO=off" in text


def test_passports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, cpu, loss in (("a", "A", "01"), ("b", "A", "01"), ("c", "B", "02")):
        made = rows()
        made[0]["cpu"] = cpu
        steps_of(made)[-1]["loss_bits"] = loss
        found = passport.of(run(tmp_path / name, made))
        (tmp_path / f"{name}.json").write_text(json.dumps(found))
    a, b, c = (str(tmp_path / f"{name}.json") for name in "abc")
    assert tf_repro.main(["compare", a, b]) == 0
    assert "identical, to the bit" in capsys.readouterr().out
    assert tf_repro.main(["compare", a, c]) == 1
    out = capsys.readouterr().out
    assert out.index("environment.cpu: A -> B") < out.index("last_loss: 01 -> 02")
    (tmp_path / "c.json").write_text("{}")
    assert tf_repro.main(["compare", a, c]) == 2
    assert "not a passport" in capsys.readouterr().err


def test_another_number_of_workers_is_said_to_be_another_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, cluster in (("none", {}), ("two", {"worker": 2}), ("four", {"worker": 4})):
        made = rows()
        made[0]["cluster"] = cluster
        run(tmp_path / name, made)

    def said(one: str, other: str) -> str:
        tf_repro.main(["compare", str(tmp_path / one), str(tmp_path / other)])
        return capsys.readouterr().out

    assert "no equal bits are promised: a cluster of 2 worker and a cluster of 4" in said(
        "two", "four"
    )
    assert "no equal bits are promised: no cluster and a cluster of 2" in said("none", "two")
    assert "no equal bits" not in said("two", "two")


def golden(tmp_path: Path, change: Callable[[list[Row]], object]) -> tuple[int, str]:
    """Judge two equal runs, which a change has moved away from the golden passport."""
    (tmp_path / "golden.json").write_text(json.dumps(passport.of(run(tmp_path / "before"))))
    (tmp_path / "now").mkdir()
    for number in (1, 2):
        made = rows()
        change(made)
        run(tmp_path / f"now/run-{number}", made)
    argv = ["judge", f"--golden={tmp_path}/golden.json", f"--json={tmp_path}/o.json"]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = tf_repro.main([*argv, str(tmp_path / "now")])
    return status, said.getvalue()


def other_bits(made: list[Row]) -> None:
    steps_of(made)[-1].update(loss_bits="02", weights=digests(3, 4))


def test_runs_end_with_the_golden_bits(tmp_path: Path) -> None:
    status, said = golden(tmp_path, lambda made: made[0].update(cpu="B"))
    assert status == 0, said
    assert said.endswith("golden.json: the same bits\n")
    assert json.loads((tmp_path / "o.json").read_text())["golden"]["same"] is True


def test_what_a_golden_passport_does_not_know_does_not_count(tmp_path: Path) -> None:
    """A run that left it with a tracker has counted no steps, and knows its final weights."""
    whole = passport.of(run(tmp_path / "before"))
    known = ("final_weights", "metrics")
    whole["results"] = {name: whole["results"][name] for name in known}
    whole["results"]["final_weights"] = ""
    for weights, status in (("", 2), ("11", 1)):
        whole["results"]["final_weights"] = weights
        (tmp_path / "golden.json").write_text(json.dumps(whole))
        said = io.StringIO()
        argv = [
            "judge",
            f"--golden={tmp_path}/golden.json",
            f"{tmp_path}/before",
            f"{tmp_path}/before",
        ]
        with contextlib.redirect_stdout(said):
            assert tf_repro.main(argv) == status, said.getvalue()
    assert "final_weights: 11 -> " in said.getvalue()
    assert "last_loss" not in said.getvalue()


@pytest.mark.parametrize(
    ("around", "reason"),
    [
        ({}, "it is the code, or its data"),
        ({"cpu": "B"}, "another processor: A -> B"),
        ({"cpu": "B", "seed": 7}, "another seed: (none) -> 7"),
        ({"packages": {"numpy": "2"}}, "other versions of libraries: numpy (none) -> 2"),
        ({"cluster": {"worker": 2}}, "no cluster and a cluster of 2 worker"),
        (
            {"cpu_flags": ["avx2", *map(str, range(99))]},
            "a processor with other features: -(none) +avx2",
        ),
    ],
)
def test_what_explains_other_bits_is_named_before_the_code(
    tmp_path: Path, around: dict[str, object], reason: str
) -> None:
    def change(made: list[Row]) -> None:
        made[0].update(around)
        other_bits(made)

    status, said = golden(tmp_path, change)
    assert status == 1, said
    assert "golden.json: NOT the same bits" in said
    assert "results.last_loss" not in said
    after = said.partition("what explains it, the likeliest first:\n")[2].splitlines()
    assert reason in (after[0] if around else said.splitlines()[-1]), said


@pytest.mark.parametrize(
    ("both", "reasons"),
    [
        ({"reach": "anywhere", "cpu_flags": ["avx2", "fma"]}, []),
        ({"reach": "anywhere", "cpu_flags": ["avx2"]}, ["another processor: A -> B"]),
        ({"reach": "machine", "cpu_flags": ["avx2", "fma"]}, ["another processor: A -> B"]),
    ],
)
def test_a_processor_explains_nothing_where_all_compute_alike(
    both: dict[str, object], reasons: list[str]
) -> None:
    one, other = ({"environment": {**both, "cpu": cpu}} for cpu in "AB")
    assert list(golden_passport.reasons(one, other)) == reasons


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "not a passport"),
        ('{"tf_repro_passport": 9}', "version 9; this tf-repro reads 1"),
        ('{"tf_repro_passport": 1}', "not a passport (it has no environment)"),
        ('{\n<<<<<<< ours\n"tf_repro_passport": 1}', "it has the conflicts of a merge in it"),
        (
            '{"tf_repro_passport": 1, "environment": {}, "results": {"steps": 0}}',
            "no training was recorded, so there are no bits to end with",
        ),
        (None, "not a passport"),
    ],
)
def test_what_is_no_golden_passport_is_said_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, said: str
) -> None:
    path = tmp_path / "golden.json"
    if text is not None:
        path.write_text(text)
    program = ["--", sys.executable, "-c", f"open({str(tmp_path / 'ran')!r}, 'w')"]
    assert tf_repro.main(["verify", "--golden", str(path), *program]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "ran").exists()


def test_records_are_compared_like_passports(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = rows()
    changed[0]["cpu"] = "B"
    steps_of(changed)[3]["gradients"] = digests(1, 2)
    run(tmp_path / "a")
    run(tmp_path / "b", changed)
    assert tf_repro.main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 1
    out = capsys.readouterr().out
    assert out.index("environment.cpu: A -> B") < out.index("step 4, gradients")
    assert tf_repro.main(["compare", str(tmp_path / "a"), str(tmp_path / "a")]) == 0


def test_every_verification_leaves_a_passport(python: Interpreter, tmp_path: Path) -> None:
    verify(python, "--runs", "2", "--", sys.executable, "-c", SAME)
    found = json.loads((tmp_path / passport.NAME).read_text())
    assert found["verified"]["runs"] == 2
    assert "2 of 2 runs identical" in found["verified"]["verdict"]


def test_the_commit_is_read_without_git(tmp_path: Path) -> None:
    home = tmp_path / ".git"
    home.mkdir()
    (home / "HEAD").write_text("ref: refs/heads/main\n")
    (home / "packed-refs").write_text("# pack-refs\nabc refs/heads/main\n")
    assert git_commit._read(tmp_path / "deeper") == "abc-unchecked"
    (home / "refs" / "heads").mkdir(parents=True)
    (home / "refs" / "heads" / "main").write_text("def\n")
    assert git_commit._read(tmp_path) == "def-unchecked"
