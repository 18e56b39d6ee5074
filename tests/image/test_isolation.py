"""Isolation is not ours to take away: what -I, -E, -s and -P promise is there as if we were not."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.image.conftest import RunInImage

FOLDER = Path(__file__).parent / "isolation"
INPUTS = [FOLDER / "isolated.py", FOLDER / "isolated.sh"]
FLAGS = ("", "-I", "-E", "-s", "-P", "-IB", "-sE")
# Python as it would be without the runtime in its start.
WITHOUT_US = (
    "rm /usr/lib/python3.11/sitecustomize.py /usr/lib/python3.11/__pycache__/sitecustomize.*"
    " /opt/venv/lib/python3.11/site-packages/tf_repro.pth; "
)
UNCONFINED = {"security_opt": ["seccomp=unconfined"]}
HASHES = "hashes of str and the order of sets of them"


def seen(run_in_image: RunInImage, before: str = "", **settings: object) -> dict[str, Any]:
    """Return what isolated.py sees under each of the flags."""
    flags = " ".join(f"'{one}'" for one in FLAGS)
    ended = run_in_image(
        ["bash", "-euc", f"{before}sh isolated.sh {flags}"], inputs=INPUTS, settings=settings
    )
    assert (ended.exit_code, ended.stderr) == (0, "")
    lines = map(json.loads, ended.stdout.splitlines())
    return dict(zip(FLAGS, lines, strict=True))


@pytest.mark.parametrize("settings", [{}, UNCONFINED], ids=["filtered", "unconfined"])
def test_a_process_and_its_children_are_isolated_as_without_us(
    run_in_image: RunInImage, settings: dict[str, Any]
) -> None:
    """Where no filter is in force, the interpreter begins again for the sake of its addresses."""
    ours, theirs = seen(run_in_image, **settings), seen(run_in_image, WITHOUT_US, **settings)
    assert ours == theirs
    assert "isolated=1" in ours["-I"]["child"]["flags"]
    assert ours["-I"]["planted"] == ours["-E"]["planted"] == []
    assert ours[""]["planted"] == ["hook", "planted", "sitecustomize", "startup"]


def test_doctor_says_that_isolation_comes_before_hashes(run_in_image: RunInImage) -> None:
    ended = run_in_image(["python3", "-I", "-m", "tf_repro", "doctor", "--json"])
    rows = {row["guarantee"]: row for row in json.loads(ended.stdout)["guarantees"]}
    assert rows[HASHES]["given"] == "NO"
    assert rows[HASHES]["reason"].startswith("-I or -E hides PYTHONHASHSEED, and isolation comes")
    assert rows["libraries are seeded as they are imported"]["given"] == "yes"
