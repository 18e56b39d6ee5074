"""A training that is killed and started again ends as if it had never stopped, bit for bit."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.image.conftest import Kit, RunInImage

# `make test-all` sets it; else a part is run.
WHOLE = os.environ.get("TEST_RESUME") == "all"
PROGRAMS = Path(__file__).parent / "resume"
DEFAULT, NEWEST = "2.15-cpu", "2.21-cpu"
KERAS_2_RELEASES, KERAS_3_RELEASES = ("2.12-cpu", DEFAULT), ("2.18-cpu", NEWEST)
# A run of either program has fifty steps.
TEN = (3, 8, 13, 17, 22, 27, 31, 36, 41, 46)

# What each way of saving is called by -> the program, and its settings.
WAYS = {
    "BackupAndRestore": ("keras_fit.py", {"DATA": "augment"}),
    "BackupAndRestore of arrays": ("keras_fit.py", {"DATA": "arrays", "FREQ": "5"}),
    "BackupAndRestore every 4 steps": ("keras_fit.py", {"DATA": "augment", "FREQ": "4"}),
    "BackupAndRestore of repeat": ("keras_fit.py", {"DATA": "repeat", "FREQ": "4"}),
    "BackupAndRestore of cache": ("keras_fit.py", {"DATA": "cache"}),
    "BackupAndRestore of a generator": ("keras_fit.py", {"DATA": "generator", "FREQ": "3"}),
    "BackupAndRestore with 3 steps at a time": ("keras_fit.py", {"EXECUTION": "3"}),
    "BackupAndRestore on two replicas": ("keras_fit.py", {"DATA": "augment", "REPLICAS": "2"}),
    "BackupAndRestore on two replicas every 4 steps": (
        "keras_fit.py",
        {"DATA": "repeat", "REPLICAS": "2", "FREQ": "4"},
    ),
    "ModelCheckpoint": (
        "keras_fit.py",
        {"WAY": "weights", "ENDING": ".keras", "DATA": "validation"},
    ),
    "CheckpointManager": ("loop.py", {"DATA": "repeat"}),
    "CheckpointManager with the iterator": ("loop.py", {"DATA": "iterator"}),
    "CheckpointManager amid epochs": ("loop.py", {"DATA": "epochs"}),
    "CheckpointManager after epochs": ("loop.py", {"DATA": "ends"}),
    # Saved at the last step of an epoch: the one goes on with the next epoch, the other with that.
    "CheckpointManager at an epoch's last step": ("loop.py", {"DATA": "epochs", "EVERY": "10"}),
    "CheckpointManager with the epoch": ("loop.py", {"DATA": "counted", "EVERY": "10"}),
    "CheckpointManager on two replicas": ("replicas.py", {}),
    "CheckpointManager of two models": ("several.py", {"KIND": "gan"}),
    "BackupAndRestore until EarlyStopping": ("several.py", {"KIND": "stops"}),
    "BackupAndRestore of a model of one's own": ("several.py", {"KIND": "subclass"}),
}
KERAS_2 = {
    "ModelCheckpoint of TensorFlow's format": (
        "keras_fit.py",
        {"WAY": "weights", "ENDING": ".ckpt", "DATA": "arrays"},
    ),
    "ModelCheckpoint of whole models in .h5": (
        "keras_fit.py",
        {"WAY": "weights", "ENDING": ".h5", "DATA": "arrays"},
    ),
}
KERAS_3 = {
    "ModelCheckpoint of weights": ("keras_fit.py", {"WAY": "weights", "DATA": "augment"}),
}

# Of all those ways, the ones that every change is tried with.
SOME = ("BackupAndRestore every 4 steps", "ModelCheckpoint", "CheckpointManager")
# Not 17 and 31: most of these end before the thirtieth call of their callbacks.
KILLS = {
    # The last two go on from the last step of an epoch.
    "CheckpointManager on two replicas": (17, 31, 21, 41),
    "BackupAndRestore with 3 steps at a time": (6, 13),
    "BackupAndRestore until EarlyStopping": (12, 17),
}

# Saves in the folder that both containers have.
FROM_THE_HOST = """
import os
os.environ.update(DATA="augment", FREQ="4", FOLDER="backup")
import keras_fit
"""

Interrupt = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def interrupt(run_in_release: Callable[[str], RunInImage]) -> Interrupt:
    """Return a function that kills a program at some steps, starts it again, and compares."""

    def interrupt(
        tag: str, way: tuple[str, dict[str, str]], kills: Sequence[object], **env: str
    ) -> list[dict[str, Any]]:
        program, settings = way
        ended = run_in_release(tag)(
            ["python3", "interrupt.py", program, *map(str, kills)],
            env={"TF_REPRO_RESUME": "on", **settings, **env},
            inputs=[PROGRAMS / "interrupt.py", PROGRAMS / program],
        )
        assert ended.exit_code == 0, ended.stderr
        rows: list[dict[str, Any]] = json.loads(ended.stdout)
        assert all(row["killed"] and row["exit"] == 0 for row in rows), rows
        return rows

    return interrupt


def pairs() -> list[tuple[str, str]]:
    """Return each release that is tried with each way of saving in it."""
    if not WHOLE:
        return [*((DEFAULT, way) for way in SOME), (NEWEST, SOME[0])]
    return [
        (tag, way)
        for tags, theirs in ((KERAS_2_RELEASES, KERAS_2), (KERAS_3_RELEASES, KERAS_3))
        for tag in tags
        for way in (*WAYS, *theirs)
    ]


@pytest.mark.parametrize(("tag", "way"), pairs())
def test_a_training_ends_as_if_it_had_never_stopped(
    interrupt: Interrupt, tag: str, way: str
) -> None:
    kills = KILLS.get(way, (17, 31))
    rows = interrupt(tag, {**WAYS, **KERAS_2, **KERAS_3}[way], kills)
    assert [(row["equal"], row["said"]) for row in rows] == [(True, [])] * len(kills)


@pytest.mark.parametrize(
    "way", ["BackupAndRestore every 4 steps", "CheckpointManager"] if WHOLE else []
)
def test_wherever_it_is_killed(interrupt: Interrupt, way: str) -> None:
    rows = interrupt(DEFAULT, WAYS[way], TEN)
    assert {row["kill"]: row["equal"] for row in rows} == {str(step): True for step in TEN}


@pytest.mark.parametrize("way", ["BackupAndRestore", "CheckpointManager"])
def test_without_it_the_training_ends_elsewhere(interrupt: Interrupt, way: str) -> None:
    """The control: what the tests above compare can differ."""
    (row,) = interrupt(DEFAULT, WAYS[way], [31], AGAIN="TF_REPRO_RESUME=off")
    assert (row["equal"], row["said"]) == (False, [])


def test_killed_as_a_state_is_written_the_older_checkpoint_is_used(interrupt: Interrupt) -> None:
    """Of each state, the first moment is before it takes its place, the second right after it."""
    third, fourth = interrupt(DEFAULT, WAYS["CheckpointManager"], ["f5", "f6"])
    for row in (third, fourth):
        assert (row["equal"], row["first"], row["said"]) == (True, 15, [])


def test_states_are_pruned_with_their_checkpoints(interrupt: Interrupt) -> None:
    for row in interrupt(DEFAULT, WAYS["CheckpointManager"], [31, "f5"]):
        kept = {name.removesuffix(".index") for name in row["left"] if name.endswith(".index")}
        states = {name for name in row["left"] if "tf_repro" in name}
        assert states == {f"{name}.tf_repro.json" for name in kept}
        assert len(kept) == 2


@pytest.mark.parametrize(
    ("how", "why"),
    [("cut", "it is cut"), ("change", "it has been changed"), ("remove", "no state")],
)
def test_a_state_that_is_spoilt_is_refused_in_one_line(
    interrupt: Interrupt, how: str, why: str
) -> None:
    (row,) = interrupt(DEFAULT, WAYS["CheckpointManager"], [31], SPOIL=how)
    (line,) = row["said"]
    assert why in line
    assert not row["equal"]


def test_a_function_that_is_not_traced_again_is_said(interrupt: Interrupt) -> None:
    (row,) = interrupt(DEFAULT, WAYS["BackupAndRestore every 4 steps"], [17], AGAIN="EXECUTION=2")
    (line,) = row["said"]
    assert "not traced again" in line
    assert not row["equal"]


def test_what_asks_it_to_end_is_no_other_end(interrupt: Interrupt) -> None:
    """SIGTERM ends the one; the other takes it, saves amid everything, and ends by itself."""
    for program, kill in (("keras_fit.py", "s17"), ("loop.py", "t17")):
        (row,) = interrupt(DEFAULT, (program, {"DATA": "repeat"}), [kill])
        assert (row["equal"], row["said"]) == (True, [])


@pytest.mark.parametrize("steps", [100] if WHOLE else [4])
def test_a_run_that_is_killed_at_every_step_loses_nothing(interrupt: Interrupt, steps: int) -> None:
    way = "loop.py", {"DATA": "repeat", "EVERY": "1", "STEPS": str(steps)}
    (row,) = interrupt(DEFAULT, way, ["every"])
    assert (row["starts"], row["equal"], row["said"]) == (steps, True, [])


@pytest.mark.parametrize("tag", [DEFAULT, NEWEST])
def test_what_was_used_of_a_pipeline_is_not_made_again(
    run_in_release: Callable[[str], RunInImage], tag: str
) -> None:
    """TensorFlow's own `skip` makes it: the control. What is not pure gives the same rest."""
    ended = run_in_release(tag)(["python3", "skip.py"], inputs=[PROGRAMS / "skip.py"])
    assert ended.exit_code == 0, ended.stderr
    rows = json.loads(ended.stdout)
    assert [
        name for name, row in rows["pure"].items() if row != {"equal": True, "made": True}
    ] == []
    assert [name for name, equal in rows["impure"].items() if not equal] == []
    assert len(rows["pure"]) > 10


def test_torch_s_generators_go_on(with_torch: RunInImage) -> None:
    inputs = [PROGRAMS / "interrupt.py", PROGRAMS / "torch_loop.py"]
    argv = ["python3", "interrupt.py", "torch_loop.py", "17", "31"]
    for again, equal in (("TF_REPRO_RESUME=on", True), ("TF_REPRO_RESUME=off", False)):
        ended = with_torch(argv, env={"AGAIN": again}, inputs=inputs)
        assert ended.exit_code == 0, ended.stderr
        assert [row["equal"] for row in json.loads(ended.stdout)] == [equal] * 2


@pytest.mark.parametrize("tag", [DEFAULT, NEWEST])
def test_what_is_exported_draws_elsewhere_as_it_always_did(
    run_in_release: Callable[[str], RunInImage], tag: str
) -> None:
    """There are none of our variables for its random ops, and it asks for none."""
    printed = []
    for settings in ({"TF_REPRO_RESUME": "off"}, {}, {"GPU": "1"}):
        ended = run_in_release(tag)(
            ["python3", "export.py"], env=settings, inputs=[PROGRAMS / "export.py"]
        )
        assert ended.exit_code == 0, ended.stderr
        printed.append(ended.stdout.split())
    assert printed[0] == printed[1] == printed[2]
    assert printed[0][::2] == ["here", "after", "loaded"]
    assert len(set(printed[0][1::2])) == 3  # they go on, and begin anew


@pytest.mark.parametrize("tag", [DEFAULT, NEWEST])
def test_nothing_is_kept_of_what_the_program_has_let_go(
    run_in_release: Callable[[str], RunInImage], tag: str
) -> None:
    """The releases of Keras 3 keep models themselves, and functions are none."""
    left = {}
    for mode in ("deterministic", "off"):
        ended = run_in_release(tag)(
            ["python3", "gone.py"], env={"TF_REPRO": mode}, inputs=[PROGRAMS / "gone.py"]
        )
        assert ended.exit_code == 0, ended.stderr
        left[mode] = json.loads(ended.stdout.splitlines()[-1])
    assert left["deterministic"] == left["off"]
    assert not any(left["off"][-2:])


def test_a_state_of_another_seed_is_refused_in_one_line(interrupt: Interrupt) -> None:
    (row,) = interrupt(DEFAULT, WAYS["CheckpointManager"], [31], AGAIN="TF_REPRO_SEED=7")
    (line,) = row["said"]
    assert "of another seed" in line


@pytest.mark.parametrize("resume", ["on", "off"])
def test_verify_interrupts_a_training_itself(
    run_in_release: Callable[[str], RunInImage], resume: str
) -> None:
    """The control is a training that is started again as it always was."""
    program = "keras_fit.py"
    ended = run_in_release(DEFAULT)(
        ["tf-repro", "verify", "--interrupt=2", "--jobs=2", "--", "python", program],
        # Each run has a working folder of its own, and saves in there.
        env={
            "DATA": "augment",
            "FREQ": "4",
            "FOLDER": "backup",
            "TF_REPRO_RESUME": resume,
            "COLUMNS": "120",
        },
        inputs=[PROGRAMS / program],
    )
    said = ended.stdout
    assert ended.exit_code == (resume == "off"), said + ended.stderr
    assert said.count("was killed after step") == 2
    assert ("not restored: the place in a pipeline" in said) == (resume == "off")


@pytest.mark.parametrize("resume", ["on", "off"])
def test_the_host_starts_it_again_in_a_container_of_its_own(
    kit: Kit, tmp_path: Path, resume: str
) -> None:
    shutil.copy(PROGRAMS / "keras_fit.py", tmp_path)
    (tmp_path / "train.py").write_text(FROM_THE_HOST)
    options = [f"--image={DEFAULT}", "--count=2", f"--into={tmp_path}/reports"]
    status, said = kit("interrupt", *options, f"{tmp_path}/train.py", TF_REPRO_RESUME=resume)
    assert status == (resume == "off"), said
    assert said.count("was killed after step") == 2
    assert ("not restored: the place in a pipeline" in said) == (resume == "off")
