"""Causes planted in trainings: each is found at its true step and stage, and its operation, too."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.image.conftest import OTHER_RELEASES, RunInImage
from tests.image.test_verify import place_of

PROGRAM = Path(__file__).parent / "verify" / "planted.py"
STEPS = 18


@dataclass(frozen=True)
class Planted:
    """What is to be found.

    Attributes:
        words: of the reason.
        operation: its kind and type; empty where no operation of TensorFlow is to blame.
        line: words of the program's line that the operation is of.
        also: words of a hint.
    """

    stage: str
    epoch: int
    step: int
    kind: str
    words: str
    operation: tuple[str, str] = ("", "")
    line: str = ""
    also: str = ""


STREAM, DATA, KERNEL = "a random stream", "the data pipeline", "a kernel"
OPTIMISER, OUTSIDE = "the optimiser", "outside of training"
BETWEEN = "outside of the step"
BY_NUMPY = ("a Python function", "PyFunc")
BY_DATA = ("a value from outside TensorFlow", "Placeholder")
BY_SEED = ("a value from outside TensorFlow", "Cast")
THROUGH = "out = tf.numpy_function(function"
# What the words below name by {name}: the places of these lines.
NAMED = {
    "shuffle": "shuffle(order)",
    "generator": "Generator.from_seed",
    "dropout": "Dropout(0.5",
    "sample": "# a sample looked at",
}
PLANTED = {
    "order": Planted(
        "batch", 2, 7, DATA, "the same examples came in another order",
        BY_DATA, "model.fit(x[order]",
        "{shuffle}: draws from os.urandom",
    ),
    "augmentation": Planted(
        "batch", 1, 1, STREAM, "content", (STREAM, "RandomUniform"), "data.map",
        "a seed that depends on the time",
    ),
    "dropout": Planted(
        "loss", 1, 1, STREAM, "random ops of the model have other seeds",
        (STREAM, "RandomUniform"), "model.fit(data.batch", "a seed that depends on the time",
    ),
    "noise layer": Planted(
        "loss", 1, 1, STREAM, "the state of the Generator of {generator}",
        BY_SEED, "Generator.from_seed",
    ),
    "draws": Planted(
        "batch", 2, 7, DATA, "content",
        BY_DATA, "model.fit(x * scale", "{sample}: numpy (global) was asked",
    ),
    "swap": Planted(
        "weights before the step", 2, 7, BETWEEN, "something changes them in between",
        ("a value from outside TensorFlow", "Mul"), "kernel.assign(kernel",
    ),
    "gradient": Planted("gradients", 3, 17, KERNEL, "backward", BY_NUMPY, THROUGH),
    "optimiser": Planted("weights", 1, 1, OPTIMISER, "the update", BY_NUMPY, THROUGH),
    "ulp": Planted("gradients", 0, 4, KERNEL, "backward", BY_NUMPY, THROUGH),
    "metric": Planted(
        "metrics of an epoch", 1, 0, OUTSIDE, "every recorded step is equal",
        BY_NUMPY, "return tf.numpy_function(mood",
    ),
    "nan": Planted("loss", 1, 5, KERNEL, "forward", BY_NUMPY, THROUGH, "is NaN from step 5 on"),
    "file": Planted("files", 0, 0, OUTSIDE, "every recorded step is equal"),
    "crash": Planted("number of steps", 0, 0, OUTSIDE, "failed after step 9 with exit status 1"),
    "steps": Planted("number of steps", 0, 0, OUTSIDE, "a different number of steps"),
}  # fmt: skip
# Dropout draws from a generator of its own there, which has the seed.
IN_KERAS_3 = {
    "dropout": Planted(
        "loss", 1, 1, STREAM, "the state of the SeedGenerator of {dropout}", BY_SEED, "Dropout(0.5"
    ),
}
KERAS_3 = ("2.21-cpu",)
IN_2_15 = [("2.15-cpu", cause) for cause in PLANTED]
ELSEWHERE = [
    (release, cause)
    for release in OTHER_RELEASES
    for cause in ("augmentation", "dropout", "noise layer", "gradient", "ulp", "swap")
]

RunIn = Callable[[str], RunInImage]


def line_of(words: str) -> str:
    return place_of(PROGRAM, words)


def verify(run: RunInImage, *argv: str, **env: str) -> tuple[int, dict[str, Any], str]:
    """Return exit status, report and what was printed."""
    ended = run(
        ["tf-repro", "verify", "--jobs", "2", "--json", "o.json", *argv,
         "--", "python", PROGRAM.name],
        env={"TF_CPP_MIN_LOG_LEVEL": "3", **env},
        inputs=[PROGRAM],
        outputs=["o.json"],
    )  # fmt: skip
    assert "o.json" in ended.files, ended.stdout + ended.stderr
    return ended.exit_code, json.loads(ended.files["o.json"]), ended.stdout


@pytest.mark.parametrize(("release", "cause"), [*IN_2_15, *ELSEWHERE])
def test_it_is_found(run_in_release: RunIn, release: str, cause: str) -> None:
    expected = {**PLANTED, **(IN_KERAS_3 if release in KERAS_3 else {})}[cause]
    status, report, printed = verify(
        run_in_release(release), "--runs", "2", "--bisect", CAUSE=cause
    )
    assert status == 1, printed
    (pair,) = report["pairs"]
    first, why = pair["first"], pair["cause"]
    assert (first["stage"], first["epoch"], first["step"]) == (
        expected.stage, expected.epoch, expected.step,
    ), printed  # fmt: skip
    assert why["kind"] == expected.kind, printed
    places = {name: line_of(words) for name, words in NAMED.items()}
    assert expected.words.format(**places) in why["reason"], printed
    hint = expected.also.format(**places)
    assert any(hint in one for one in [*why["hints"], ""]), printed
    found = report["bisected"]
    if not expected.line:
        assert found is None, printed
        assert any("nothing to bisect" in note for note in report["notes"]), printed
        return
    assert (found["kind"], found["type"]) == expected.operation, printed
    assert found["place"] == line_of(expected.line), printed


def test_one_ulp_in_one_element_is_measured(run_in_release: RunIn) -> None:
    _, report, printed = verify(run_in_release("2.15-cpu"), "--runs", "2", "--bisect", CAUSE="ulp")
    assert report["pairs"][0]["first"]["tensors"] == ["dense/kernel:0"], printed
    for apart in (report["bisected"]["apart"], report["extra_pair"]["apart"]):
        assert (apart["elements"], apart["of"], apart["ulps"]) == (1, 24, 1), printed


def test_a_crash_counts_as_one(run_in_release: RunIn) -> None:
    _, report, printed = verify(run_in_release("2.15-cpu"), "--runs", "2", CAUSE="crash")
    (pair,) = report["pairs"]
    assert "RuntimeError: the disk is full" in pair["cause"]["reason"], printed
    assert sorted(run["steps"] for run in report["runs"]) == [9, STEPS]
    assert "exit status" in pair["sections"], printed


def test_no_false_alarm_in_ten_runs(run_in_release: RunIn) -> None:
    status, report, printed = verify(run_in_release("2.15-cpu"), "--runs", "10", CAUSE="")
    assert status == 0, printed
    assert [run["steps"] for run in report["runs"]] == [STEPS] * 10
    assert len({run["final_weights"] for run in report["runs"]}) == 1
    assert not any(pair["sections"] for pair in report["pairs"])
