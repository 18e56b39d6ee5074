"""What host and image both know is the same on both sides."""

from __future__ import annotations

import re
import shlex

import pytest
import yaml

from scripts.contents import golden
from scripts.engine import cluster
from scripts.locks.lock import DEBS_LOCK, REQUIREMENTS_LOCK
from scripts.places import REPO
from scripts.proof import agreed
from scripts.publish import changelog
from tf_repro import environment, settings
from tf_repro.machine import gpu
from tf_repro.notebook import program

# Where the runtime keeps its copies: what moves there is followed here, and nowhere else.
from tf_repro.recording import surroundings
from tf_repro.verify import command, workers
from tf_repro.verify.reading import published
from tf_repro.verify.running import git_commit, run, workspace

# What is agreed -> (the kit's copy, the runtime's).
COPIES: dict[str, tuple[object, object]] = {
    "the settings of a run": (set(agreed.SETTINGS), set(environment.SETTINGS)),
    "which image it is": (agreed.IMAGE, surroundings.IMAGE),
    "folders that are left out": (agreed.LEFT_OUT, workspace.LEFT_OUT),
    "how a notebook is called": (agreed.NOTEBOOK, program.ENDING),
    "how a run ended": (agreed.RUN, run.RUN),
    "what it said": (agreed.STDERR, run.STDERR),
    "the folder of a worker": (cluster.name(3), f"{workers.WORKER}3"),
    "pairs that look for the operation": (agreed.ATTEMPTS, command.ATTEMPTS),
    "the name of such a run": (agreed.PAIR, command.PAIR),
    "how folders begin that are left out": (agreed.TEMPORARY, workspace.TEMPORARY),
    # What the ops gave is compared by the kit alone.
    "the bits of an image": (
        (
            golden.NAME,
            golden.VERSION,
            {*golden.Golden.model_fields} - {"version", "made_by", "rows"},
        ),
        (published.GOLDEN, published.VERSION, {*published.TRAININGS}),
    ),
    "the locks of an image": (
        {DEBS_LOCK, REQUIREMENTS_LOCK},
        {lock for _, lock, _ in published._LOCKS},
    ),
    "no result": (agreed.COULD_NOT_RUN, command.COULD_NOT_RUN),
    "which commit it is": (list(agreed.DESCRIBE), git_commit._DESCRIBE),
    "the wheels' lock": (f"/{changelog.WHEELS}", str(surroundings.LOCKS["requirements.lock"])),
    "the list of Debian's packages": (f"/{changelog.DEBS}", str(surroundings.LOCKS["dpkg status"])),
}
DOCKERFILE = (REPO / "docker/Dockerfile").read_text()
# What the image's last stage sets, all of which decides bits, and nothing else does.
DECIDES_BITS = {
    **environment.DETERMINISM,
    **environment.MACHINE,
    **environment.MACHINE_AVX2,
    environment.HASH_SEED: environment.our_hash_seed(settings.DEFAULT_SEED),
    environment.SETTINGS[0]: str(settings.DEFAULT_SEED),
}


def env_rows(dockerfile: str) -> dict[str, str]:
    """Return what ENV instructions set: NAME=value, over as many lines as end with a backslash."""
    lines = [line for line in dockerfile.splitlines() if not line.lstrip().startswith("#")]
    text = "\n".join(lines).replace("\\\n", " ")
    rows = [row for one in re.findall(r"^ENV\s+(.+)$", text, re.M) for row in shlex.split(one)]
    return dict(row.split("=", 1) for row in rows)


@pytest.mark.parametrize("what", COPIES)
def test_both_copies_are_equal(what: str) -> None:
    ours, theirs = COPIES[what]
    assert ours == theirs


def test_the_image_sets_what_decides_bits_as_the_runtime_does() -> None:
    """The last stage, row by row: what stands in one place only is a row that somebody forgot."""
    stage = DOCKERFILE[DOCKERFILE.index("\nFROM tensorflow AS image") :]
    assert env_rows(stage) == DECIDES_BITS


def test_no_earlier_stage_sets_any_of_it() -> None:
    before = DOCKERFILE[: DOCKERFILE.index("\nFROM tensorflow AS image")]
    assert "LANG" in env_rows(before), "the rows are read"
    assert not env_rows(before).keys() & DECIDES_BITS.keys()


def test_the_structure_of_every_image_has_all_of_it() -> None:
    structure = yaml.safe_load((REPO / "tests/image/structure.yaml").read_text())
    rows = {row["key"]: row["value"] for row in structure["metadataTest"]["envVars"]}
    assert rows.items() >= DECIDES_BITS.items()


def test_what_the_kit_writes_for_the_doctor_is_where_it_looks() -> None:
    copied = re.search(r"cp /mnt/locked/kept/\* (/\S+/);", DOCKERFILE)
    assert copied
    made = re.search(r'kept / "(cuda\.json)"', (REPO / "scripts/build/bake_file.py").read_text())
    assert made
    assert copied[1] + made[1] == gpu.EXPECTED
