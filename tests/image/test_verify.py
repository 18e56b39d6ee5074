"""`tf-repro verify` on real trainings: identical where they are, right about where they part."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.image.conftest import RunInImage

PROGRAM = Path(__file__).parent / "verify" / "train.py"
RACING = PROGRAM.with_name("racing.py")
STEPS_OF_FIT, STEPS_OF_LOOP = 12, 6
LOOPS = {
    "fit": STEPS_OF_FIT,
    "several": STEPS_OF_FIT,
    "batch": STEPS_OF_LOOP,
    "eager": STEPS_OF_LOOP,
    "function": STEPS_OF_LOOP,
    "mirrored": 2 * STEPS_OF_FIT,
}
PARTS = {
    # part -> stage, class, words of the reason
    "initial": ("initial weights", "a random stream", "initialisers"),
    "order": ("batch", "the data pipeline", "the same examples came in another order"),
    "content": ("batch", "the data pipeline", "content"),
    "loss": ("loss", "a kernel", "forward"),
    "gradients": ("gradients", "a kernel", "backward"),
    "optimiser": ("weights", "the optimiser", "update"),
}
RELEASES = ("2.12-cpu", "2.15-cpu", "2.21-cpu")

Verify = Callable[..., "Verified"]


def place_of(program: Path, words: str) -> str:
    """Return the place of the one line of a program that has `words`."""
    lines = program.read_text().splitlines()
    (number,) = (number for number, line in enumerate(lines, 1) if words in line)
    return f"{program.name}:{number}"


@dataclass(frozen=True)
class Verified:
    """How a verification ended."""

    exit_code: int
    report: dict[str, Any]
    printed: str

    @property
    def first(self) -> dict[str, Any]:
        """The first difference."""
        first: dict[str, Any] = self.report["pairs"][0]["first"]
        return first

    @property
    def cause(self) -> dict[str, Any]:
        """Its cause."""
        cause: dict[str, Any] = self.report["pairs"][0]["cause"]
        return cause


@pytest.fixture
def verify(run_in_release: Callable[[str], RunInImage]) -> Verify:
    """Return a function that verifies the program with two runs at the same time."""

    def run(
        release: str = "2.15-cpu",
        mode: str = "deterministic",
        options: Sequence[str] = (),
        program: Path = PROGRAM,
        **settings: str,
    ) -> Verified:
        env = {"TF_REPRO": mode, "TF_CPP_MIN_LOG_LEVEL": "3", **settings}
        argv = ["--runs", "2", "--jobs", "2", "--json", "report.json", *options]
        ended = run_in_release(release)(
            ["tf-repro", "verify", *argv, "--", "python", program.name],
            env=env,
            inputs=[program],
            outputs=["report.json"],
        )
        assert "report.json" in ended.files, ended.stdout + ended.stderr
        return Verified(ended.exit_code, json.loads(ended.files["report.json"]), ended.stdout)

    return run


@pytest.mark.parametrize("loop", LOOPS)
def test_identical_runs_and_every_step_is_seen(verify: Verify, loop: str) -> None:
    done = verify(LOOP=loop)
    assert done.exit_code == 0, done.printed
    assert [run["steps"] for run in done.report["runs"]] == [LOOPS[loop]] * 2
    assert done.report["notes"] == []


@pytest.mark.parametrize("part", PARTS)
def test_where_they_part_and_why(verify: Verify, part: str) -> None:
    done = verify(PART=part)
    stage, kind, reason = PARTS[part]
    assert done.exit_code == 1, done.printed
    assert (done.first["stage"], done.cause["kind"]) == (stage, kind), done.printed
    assert reason in done.cause["reason"]
    assert done.first["step"] == (0 if part == "initial" else 1)


@pytest.mark.parametrize("part", ["loss", "gradients", "optimiser"])
def test_the_operation_is_found_on_replicas_too(verify: Verify, part: str) -> None:
    done = verify(PART=part, LOOP="mirrored", options=["--bisect"])
    found = done.report["bisected"]
    assert (found["type"], found["place"]) == (
        "PyFunc",
        place_of(PROGRAM, "tf.numpy_function(off"),
    ), done.printed


def test_a_hand_written_loop_parts_where_it_does(verify: Verify) -> None:
    done = verify(PART="gradients", LOOP="function")
    assert (done.first["stage"], done.first["step"]) == ("gradients", 1), done.printed


def test_unseeded_ops_are_named_with_their_line(verify: Verify) -> None:
    """Weights start from seeds of the script's own; dropout is what mode off leaves open."""
    done = verify(mode="off", PART="", LOOP="fit")
    assert done.exit_code == 1
    assert any("TF_REPRO=off" in hint for hint in done.cause["hints"])


def test_a_race_of_a_loops_iterations_is_named_and_not_called_chance(verify: Verify) -> None:
    # In every second run or so, TensorFlow takes the iterations in their order.
    options = ["--runs", "8", "--jobs", "2", "--bisect"]
    done = verify(mode="off", options=options, program=RACING)
    assert done.exit_code == 1, done.printed
    pair = next(pair for pair in done.report["pairs"] if pair["first"])
    assert pair["cause"]["kind"] == "a race between operations", done.printed
    assert f"{place_of(RACING, 'tf.map_fn')} (RandomStandardNormal)" in pair["cause"]["reason"]
    assert "in that pair nothing differs" in done.report["bisected"]["words"]
    in_order = verify(program=RACING)
    assert in_order.exit_code == 0, in_order.printed


def test_what_xla_compiles_is_said_not_to_be_recorded(verify: Verify) -> None:
    done = verify(mode="seed", LOOP="xla")
    assert done.exit_code == 0, done.printed
    assert any("jit_compile=True" in note for note in done.report["notes"])
    assert done.report["runs"][0]["steps"] == 0
    assert done.report["runs"][0]["final_weights"]


@pytest.mark.parametrize("release", [one for one in RELEASES if one != "2.15-cpu"])
def test_in_other_releases_too(verify: Verify, release: str) -> None:
    same = verify(release)
    assert same.exit_code == 0, same.printed
    assert same.report["runs"][0]["steps"] == STEPS_OF_FIT
    parted = verify(release, PART="gradients")
    assert (parted.first["stage"], parted.first["step"]) == ("gradients", 1), parted.printed


@pytest.mark.parametrize(
    ("release", "loop"),
    [
        ("2.12-cpu", "mirrored"),
        ("2.15-cpu", "fit"),
        ("2.15-cpu", "mirrored"),
        ("2.15-cpu", "function"),
        ("2.21-cpu", "mirrored"),
        ("2.21-cpu", "function"),
    ],
)
def test_generators_are_followed_and_left_alone(
    run_in_release: Callable[[str], RunInImage], release: str, loop: str
) -> None:
    """Those of layers, of replicas, of another graph, and those that do not live long."""
    program = PROGRAM.with_name("generators.py")
    line = (
        "tf-repro verify --runs 2 --jobs 2 --keep kept -- python generators.py; cat kept/*/*.jsonl"
    )
    env = {"LOOP": loop, "TF_CPP_MIN_LOG_LEVEL": "3"}
    ended = run_in_release(release)(["sh", "-euc", line], env=env, inputs=[program])
    assert ended.exit_code == 0, ended.stdout + ended.stderr
    assert "2 of 2 runs identical, 6 steps" in ended.stdout or loop == "mirrored", ended.stdout
    steps = [one for one in ended.stdout.splitlines() if one.startswith('{"kind":"step"')]
    assert len(steps) == (24 if loop == "mirrored" else 12)
    ours = f"the Generator of {place_of(program, 'self.generator = ')}"
    assert all(ours in json.loads(one)["generators"] for one in steps), steps[0]


def test_recording_changes_no_bit(run_in_image: RunInImage) -> None:
    line = (
        "python train.py; cp weights.npy /tmp/without.npy; "
        "tf-repro record --keep /tmp/run -- python train.py; "
        "cmp /tmp/without.npy /tmp/run/files/weights.npy; grep -c '\"step\"' /tmp/run/*.jsonl"
    )
    ended = run_in_image(["sh", "-euc", line], inputs=[PROGRAM])
    assert ended.exit_code == 0, ended.stdout + ended.stderr
    assert int(ended.stdout.splitlines()[-1]) == STEPS_OF_FIT


@pytest.mark.parametrize("release", ["2.15-cpu", "2.21-cpu"])
def test_digests(run_in_release: Callable[[str], RunInImage], release: str) -> None:
    program = PROGRAM.with_name("digests.py")
    ended = run_in_release(release)(["python", program.name], inputs=[program])
    assert ended.exit_code == 0, ended.stderr
    assert ended.stdout.strip() == "digests hold"


ARTIFACTS = PROGRAM.with_name("artifacts.py")
WRITTEN = {
    "array.npy", "arrays.npz", "checkpoints/ckpt-1.index", "exported/variables/variables.index",
    "log.csv", "model.keras", "model.weights.h5", "report.json",
}  # fmt: skip


@pytest.mark.parametrize("release", ["2.15-cpu", "2.21-cpu"])
@pytest.mark.parametrize("change", ["", "1"])
def test_files_are_compared_by_content(
    run_in_release: Callable[[str], RunInImage], release: str, change: str
) -> None:
    ended = run_in_release(release)(
        ["tf-repro", "verify", "--runs", "2", "--jobs", "2", "--json", "o.json",
         "--", "python", ARTIFACTS.name],
        env={"TF_CPP_MIN_LOG_LEVEL": "3", "CHANGE": change},
        inputs=[ARTIFACTS],
        outputs=["o.json"],
    )  # fmt: skip
    report = json.loads(ended.files["o.json"])
    assert [run["exit_status"] for run in report["runs"]] == [0, 0], ended.stdout
    files = report["pairs"][0]["files"]
    differing = {each["name"] for each in files if each["differing"]}
    ignored = {each["name"] for each in files if each["ignored"]}
    # The keras file carries the time, the folder of checkpoints too.
    assert {"checkpoints/checkpoint"} <= ignored, ended.stdout
    events = {each["name"] for each in files if "tfevents" in each["name"]}
    assert bool(events) == (release == "2.15-cpu")  # TensorBoard is no part of later releases
    assert differing == (WRITTEN | events if change else set()), ended.stdout
    assert ended.exit_code == int(bool(change))
