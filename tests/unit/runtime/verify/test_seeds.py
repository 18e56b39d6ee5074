"""A program under several seeds: its metrics' means, and two programs compared seed by seed."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.runtime.verify.made_up import rows, run
from tf_repro import __main__ as tf_repro
from tf_repro import seed_for, settings
from tf_repro.verify import seeds
from tf_repro.verify.comparing import student
from tf_repro.verify.running.run import RUN, Ended

PROGRAMS = {"one": (3.0, 0.0), "better": (2.0, 0.0), "noisy": (3.0, 1.0), "fails": (0.0, 0.0)}


class Programs:
    """In place of programs: what they would have recorded, by their name and seed."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, str]] = []

    def record(
        self,
        command: list[str],
        folder: Path,
        *,
        records: Path,
        environ: dict[str, str],
        on_progress: Callable[[str], None],
    ) -> Ended:
        """Do as running.run.record does."""
        del records, on_progress
        folder.parent.mkdir(exist_ok=True)
        (name,), seed = command, environ["TF_REPRO_SEED"]
        self.ran.append((name, seed))
        mean, noise = PROGRAMS[name]
        luck = np.random.default_rng(int(seed)).normal()
        more = np.random.default_rng(int(seed) + 1).normal() * noise
        made = rows()
        made[0]["seed"] = int(seed)
        made[-2]["logs"] = {"loss": mean + luck + more, "words": "no number"}
        run(folder, made)
        ended = json.loads((folder / RUN).read_text())
        ended.update(command=command, exit_status=int(name == "fails"))
        (folder / RUN).write_text(json.dumps(ended))
        (folder / "stderr.txt").write_text("ValueError: no data\n")
        return Ended(command, ended["exit_status"], 1.0)


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Programs:
    instead = Programs()
    monkeypatch.setattr(seeds, "record", instead.record)
    return instead


def test_the_mean_is_within_its_interval_and_the_runs_go_on_from_what_is_there(
    programs: Programs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    argv = ["seeds", f"--keep={tmp_path / 'kept'}", f"--json={report}", "--jobs=2"]
    assert tf_repro.main([*argv, "--n=4", "--", "one"]) == 0
    assert {seed for _, seed in programs.ran} == {str(seed_for("seeds", n)) for n in range(1, 5)}
    assert tf_repro.main([*argv, "--n=6", "--", "one"]) == 0
    assert len(programs.ran) == 6
    found = json.loads(report.read_text())
    (metric,) = found["programs"][0]["metrics"]
    assert len(metric["values"]) == len(found["seeds"]) == 6
    assert metric["low"] < np.mean(metric["values"]) < metric["high"]
    assert metric["spread"] == pytest.approx(np.std(metric["values"], ddof=1))
    assert "one, 6 seeds" in capsys.readouterr().out


def test_two_programs_are_compared_seed_by_seed(
    programs: Programs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under each seed `better` is better by 1, which the luck of the seeds would hide unpaired."""
    del programs
    assert tf_repro.main(["seeds", "--against=better", "--", "one"]) == 0
    assert "loss: B - A is -1, 95% interval -1 to -1, beyond the" in capsys.readouterr().out
    argv = ["seeds", "--against=noisy", f"--json={tmp_path / 'o.json'}", "--", "one"]
    assert tf_repro.main(argv) == 0
    assert "within the seeds' spread (t-test paired by seed" in capsys.readouterr().out
    (difference,) = json.loads((tmp_path / "o.json").read_text())["differences"]
    assert difference["low"] < 0 < difference["high"]


def test_the_page_has_a_dot_for_every_seed(programs: Programs, tmp_path: Path) -> None:
    del programs
    page, report = tmp_path / "o.html", tmp_path / "o.json"
    argv = ["seeds", "--n=5", f"--html={page}", f"--json={report}", "--against=better", "--", "one"]
    assert tf_repro.main(argv) == 0
    text = page.read_text()
    values = [
        value
        for program in json.loads(report.read_text())["programs"]
        for metric in program["metrics"]
        for value in metric["values"]
    ]
    assert text.count("<circle") == len(values) == 10
    assert all(f"{value:.9g}</title></circle>" in text for value in values)
    assert "A: one" in text
    assert "B: better" in text
    assert "beyond the seeds&#x27; spread" in text


def test_a_report_without_a_folder_is_said_before_anything_runs(
    programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("json", "html"):
        assert tf_repro.main(["seeds", "--n=2", f"--{name}=/nowhere/o", "--", "one"]) == 2
        said = f"tf-repro: --{name} /nowhere/o: there is no folder /nowhere\n"
        assert capsys.readouterr().err == said
    assert not programs.ran


def test_what_cannot_be_measured_is_one_line(
    programs: Programs,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def said(*argv: str) -> str:
        assert tf_repro.main(["seeds", "--n=2", f"--keep={tmp_path / 'kept'}", *argv]) == 2
        return capsys.readouterr().err.splitlines()[-1]

    assert said("--", "fails").endswith(
        "under seed " + programs.ran[0][1] + ": ValueError: no data"
    )
    tf_repro.main(["seeds", "--n=2", f"--keep={tmp_path / 'kept'}", "--", "one"])
    assert "it has run one under seed" in said("--", "better")
    monkeypatch.setattr(settings.current, "mode", "off")
    assert "TF_REPRO=off: seeds reach nothing there" in said("--", "one")


def test_a_program_with_seeds_of_its_own_is_told(
    programs: Programs, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: the others above differ."""
    same = {"environ": {"TF_REPRO_SEED": "1"}}
    monkeypatch.setattr(seeds, "record", lambda *a, **k: programs.record(*a, **{**k, **same}))
    assert tf_repro.main(["seeds", "--n=3", "--", "one"]) == 0
    assert "every seed gives the same" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("degrees", "quantile"),
    # A table of the distribution: https://www.itl.nist.gov/div898/handbook/eda/section3/eda3672.htm
    [(1, 12.706), (2, 4.303), (9, 2.262), (30, 2.042), (100, 1.984)],
)
def test_quantiles_are_those_of_the_tables(degrees: int, quantile: float) -> None:
    assert student.quantile(0.975, degrees) == pytest.approx(quantile, abs=5e-4)


@given(st.floats(-50, 50), st.integers(1, 60))
def test_the_distribution_is_symmetric_and_a_quantile_undoes_it(t: float, degrees: int) -> None:
    assert student.cdf(t, degrees) + student.cdf(-t, degrees) == pytest.approx(1)
    probability = student.cdf(abs(t), degrees)
    if probability < 1 - 1e-6:
        assert student.quantile(probability, degrees) == pytest.approx(abs(t), abs=1e-3)
