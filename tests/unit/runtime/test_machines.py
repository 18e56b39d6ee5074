"""Whether two machines will give the same bits, by what doctor says on each."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.runtime.conftest import Interpreter, python
from tf_repro import __main__ as tf_repro
from tf_repro.doctor import machines
from tf_repro.doctor.command import NO, OTHER_PROCESSORS, PARTLY, YES

__all__ = ["python"]

Report = dict[str, Any]
REPORT: Report = {
    "mode": "deterministic",
    "seed": 42,
    "reach": "anywhere",
    "guarantees": [
        {"guarantee": "hashes of str", "given": "yes", "reason": ""},
        {"guarantee": OTHER_PROCESSORS, "given": "yes", "reason": ""},
    ],
    "machine": {
        "locks": {"requirements.lock": "sha256:aa"},
        "reach": "anywhere",
        "cpu": "AMD EPYC",
        "cpu_flags": ["avx", "avx2", "fma"],
        "cpus": 2,
        "gpus": [],
        "environment": {"OMP_NUM_THREADS": "8"},
    },
}


def changed(**machine: object) -> Callable[[Report], None]:
    return lambda report: report["machine"].update(machine)


def of_another_tensorflow(report: Report) -> None:
    report["machine"]["cpu"] = "Intel Xeon"
    report["guarantees"][1].update(given="partly", reason="TensorFlow is 2.16.2, and was 2.15.1")


def of_no_row(report: Report) -> None:
    report["machine"]["cpu"] = "Intel Xeon"
    del report["guarantees"][1]


@pytest.mark.parametrize(
    ("change", "what", "given", "reason"),
    [
        (changed(), "processors", YES, "AMD EPYC"),
        (changed(cpus=64), "processors", YES, "AMD EPYC"),
        (changed(cpu="Intel Xeon"), "processors", YES, "AMD EPYC and Intel Xeon"),
        (changed(cpu_flags=["avx2", "fma", "avx512f"]), "processors", YES, "AMD EPYC"),
        (of_another_tensorflow, "processors", PARTLY, "AMD EPYC and Intel Xeon: TensorFlow is"),
        (of_no_row, "processors", PARTLY, "AMD EPYC and Intel Xeon: doctor did not say"),
        (changed(cpu="Atom", cpu_flags=["sse2"]), "processors", NO, "Atom: no AVX2"),
        (changed(cpu="QEMU", cpu_flags=["avx2"]), "processors", NO, "QEMU: no FMA"),
        (changed(reach="machine", cpus=8), "processors", NO, "2 and 8 CPUs: set TF_REPRO_REACH="),
        (changed(gpus=["H100; 550"]), "GPUs and their drivers", NO, "H100; 550"),
        (
            changed(locks={"requirements.lock": "sha256:bb"}),
            "the image's packages",
            NO,
            "same image",
        ),
        (changed(environment={}), "OMP_NUM_THREADS", NO, "8 and not set: set it to the same"),
        (lambda report: report.update(seed=7), "seed", NO, "42 and 7: set TF_REPRO_SEED"),
        (
            lambda report: report["guarantees"][0].update(given="NO", reason="a seccomp filter"),
            "hashes of str",
            PARTLY,
            "not on the second: a seccomp filter",
        ),
    ],
)
def test_what_has_to_be_the_same_is_told(
    change: Callable[[Report], None], what: str, given: str, reason: str
) -> None:
    other = copy.deepcopy(REPORT)
    change(other)
    lines = {line[0]: line[1:] for line in machines.compare(REPORT, other)}
    assert lines[what][0] == given, lines
    assert reason in lines[what][1]
    apart = {name for name, (found, _) in lines.items() if found == NO} - {what}
    assert apart == set(), lines


def test_two_reports_of_this_machine(
    python: Interpreter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [str(tmp_path / f"{name}.json") for name in "ab"]
    for path, seed in zip(paths, ("42", "43"), strict=True):
        done = python("-m", "tf_repro", "doctor", "--json", env={"TF_REPRO_SEED": seed})
        Path(path).write_text(done.stdout)
    assert tf_repro.main(["compare", "--machines", paths[0], paths[0]]) == 0
    assert "NO " not in capsys.readouterr().out
    assert tf_repro.main(["compare", "--machines", *paths]) == 1
    assert "NO     seed" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "{}", "[]", json.dumps({**REPORT, "machine": []})])
def test_what_is_no_report_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / "a.json").write_text(text)
    path = str(tmp_path / "a.json")
    assert tf_repro.main(["compare", "--machines", path, path]) == 2
    err = capsys.readouterr().err
    assert "a.json: not what `tf-repro doctor --json` prints" in err
    assert err.count("\n") == 1
