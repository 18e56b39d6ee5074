"""Runs that were killed and started again, put together and judged against one that was not."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.runtime.verify.made_up import Row, digests, rows, run, steps_of
from tf_repro import __main__ as tf_repro
from tf_repro.verify import interrupting
from tf_repro.verify.running import run as running
from tf_repro.verify.running.run import RUN, Ended


class Programs:
    """In place of a program that saves after every second step, and resumes from there."""

    def __init__(self, change: Callable[[list[Row]], object] = lambda _: None) -> None:
        self.change = change
        self.every = 2
        self.kills: list[int] = []

    def record(
        self,
        command: list[str],
        folder: Path,
        *,
        kill_at: int | None,
        **_: object,
    ) -> Ended:
        """Do as running.run.record does."""
        self.kills += [kill_at] if kill_at else []
        made = rows()
        if kill_at is None:
            run(folder, made)
        else:
            end = made.index(steps_of(made)[kill_at])
            run(folder, made[:end])
            saved = self._saved(kill_at)
            again = self._again(saved)
            self.change(again)
            text = "".join(json.dumps(row) + "\n" for row in again)
            (folder / "2-2.jsonl").write_text(text)
        ended = json.loads((folder / RUN).read_text())
        ended = {**ended, "command": command, "killed": kill_at or 0}
        (folder / RUN).write_text(json.dumps(ended))
        return Ended(command, 0, 1.0)

    def _saved(self, kill_at: int) -> int:
        """Return after which step it saved last; below 0, it finds what another run has saved."""
        if self.every < 0:
            return kill_at - self.every
        return kill_at - kill_at % self.every if self.every else 0

    @staticmethod
    def _again(saved: int) -> list[Row]:
        """Return what the second process leaves: counts of its own, and restored weights."""
        made = rows()
        steps = steps_of(made)
        dropped = steps[:saved]
        kept = [row for row in made if row not in dropped and row.get("epoch") != 1 - (saved < 3)]
        if saved:
            kept[2] = {**kept[2], "weights": steps[saved - 1]["weights"]}
        for number, step in enumerate(steps_of(kept), 1):
            step["step"] = number
        return kept


@pytest.fixture
def verify(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    def verify(programs: Programs, *argv: str) -> tuple[int, str]:
        monkeypatch.setattr(running, "record", programs.record)
        options = [f"--passport={tmp_path}/p.json", f"--html={tmp_path}/o.html", *argv]
        status = tf_repro.main(["verify", "--interrupt=3", *options, "--", "train"])
        said = capsys.readouterr()
        return status, said.out + said.err

    return verify


Verify = Callable[..., tuple[int, str]]


def test_a_training_that_resumes_is_the_one_that_was_never_stopped(
    verify: Verify, tmp_path: Path
) -> None:
    programs = Programs()
    status, said = verify(programs)
    assert status == 0, said
    assert "4 of 4 runs identical, 6 steps compared" in said
    assert "note: run 2 was killed after step" in said
    assert "not restored" not in said
    assert json.loads((tmp_path / "p.json").read_text())["verified"]["interruptions"] == 3
    assert (tmp_path / "o.html").read_text().count("class='kill'") == 3


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("before", digests(7, 2), "the weights"),
        ("batch", "00", "the place in a pipeline, or what it draws from"),
        ("loss_bits", "ff", "what the step draws from (the state of numpy differs)"),
        ("gradients", digests(1, 1), "what the step draws from (the state of numpy differs)"),
        ("weights", digests(1, 1), "the slots of the optimiser, or its learning rate (the state"),
    ],
)
def test_what_was_not_restored_is_named(verify: Verify, field: str, value: str, words: str) -> None:
    def change(made: list[Row]) -> None:
        steps_of(made)[0].update({field: value, "random": {"random": "aa", "numpy": "cc"}})

    status, said = verify(Programs(change))
    assert status == 1, said
    assert f"not restored: {words}" in said
    noted = said.partition("went on with step ")[2]
    assert f"step {noted.partition(';')[0]}," in said.partition("first difference: ")[2]


def test_a_metric_that_begins_anew_is_named(verify: Verify) -> None:
    def change(made: list[Row]) -> None:
        for row in made:
            if row["kind"] == "epoch":
                row["logs"] = {"loss": 99.0}

    status, said = verify(Programs(change))
    assert status == 1, said
    assert "not restored: a metric" in said


def test_a_run_that_finds_what_another_has_saved_is_told_from_one_that_resumes_wrongly(
    verify: Verify,
) -> None:
    programs = Programs()
    programs.every = -1

    def change(made: list[Row]) -> None:
        for step in steps_of(made):
            step["weights"] = digests(7, 2)

    programs.change = change
    status, said = verify(programs)
    assert status == 1, said
    assert "which it had not reached: it found what another run has saved" in said
    assert "not restored" not in said


def test_a_program_that_begins_anew_has_no_way_to_resume(verify: Verify) -> None:
    programs = Programs()
    programs.every = 0
    status, said = verify(programs)
    assert status == 2
    assert "train has no way to resume, or saves later: killed after step" in said
    assert said.strip().endswith("it began with its first step")


def test_what_is_killed_is_a_step_that_follows_from_the_seed() -> None:
    kills = [interrupting._kill(50, number) for number in range(1, 41)]
    assert set(kills) <= set(range(1, 50))
    assert len(set(kills)) > 20


HALVES = """
import os, pathlib, signal
pathlib.Path("begun").touch()
if "TF_REPRO_KILL" in os.environ:
    pathlib.Path("saved").write_text(os.environ["TF_REPRO_KILL"])
    os.kill(os.getpid(), signal.SIGKILL)
pathlib.Path("ended").write_text(pathlib.Path("saved").read_text())
"""


def test_a_run_is_killed_and_then_started_again_by_halves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path / "unbroken", rows())
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "program.py").write_text(HALVES)
    monkeypatch.chdir(tmp_path / "own")
    into = tmp_path / "shared" / "run"
    options = ["--interrupt=2", f"--of={tmp_path / 'unbroken'}", f"--keep={into}"]
    argv = ["record", *options, "--", sys.executable, "program.py"]
    assert tf_repro.main(argv) == 0
    assert not (into / RUN).exists()
    assert tf_repro.main(argv) == 0
    ended = Ended(**json.loads((into / RUN).read_text()))
    assert ended.killed == interrupting._kill(len(steps_of(rows())), 2)
    assert (into / "files" / "ended").read_text() == str(ended.killed)
    assert set(ended.written) == {"begun", "saved", "ended"}


def test_half_a_run_without_an_unbroken_one_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["record", "--interrupt=1", f"--keep={tmp_path / 'run'}", "--", "true"]
    assert tf_repro.main(argv) == 2
    assert "name the record of a run that nobody stops, by --of" in capsys.readouterr().err


def test_bad_input_is_one_line(verify: Verify, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(Programs(), "--bisect") == (
        2,
        "tf-repro: --interrupt and --bisect: one at a time, as they ask of other runs\n",
    )
    with pytest.raises(SystemExit):
        tf_repro.main(["verify", "--interrupt=0", "--", "true"])
    assert "'0' is not a whole number from 1 up" in capsys.readouterr().err
