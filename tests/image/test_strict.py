"""Strict mode turns back what would break the promise, and names the user's own line.

The programs are in strict/. Each marks with "# turned back" the lines that must be warned of.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.image.conftest import RunInImage

PROGRAMS = Path(__file__).parent / "strict"
CASES = [
    ("2.12-cpu", "data"),
    ("2.12-cpu", "keras2"),
    ("2.15-cpu", "data"),
    ("2.15-cpu", "keras2"),
    ("2.21-cpu", "data"),
    ("2.21-cpu", "keras3"),
]
REFUSED = {
    "TF_DETERMINISTIC_OPS": "0",
    "TF_CUDNN_USE_AUTOTUNE": "0",
    "TF_DISABLE_SCATTER_OP_DETERMINISM": "1",
    "TF_DISABLE_SEGMENT_REDUCTION_OP_DETERMINISM_EXCEPTIONS": "1",
}


def warned(run_in: RunInImage, program: Path, mode: str) -> list[int]:
    """Return the lines of the program that a warning of ours names, each once, in order."""
    ended = run_in(["python3", program.name], env={"TF_REPRO": mode}, inputs=[program])
    assert ended.exit_code == 0, ended.stderr
    if mode == "strict":
        assert "float16" not in ended.stdout
    named = re.findall(rf"{program.name}:(\d+): TurnedBackWarning: tf-repro: ", ended.stderr)
    return sorted({int(line) for line in named})


def marked(program: Path) -> list[int]:
    lines = program.read_text().splitlines()
    return [n for n, line in enumerate(lines, 1) if line.endswith("# turned back")]


@pytest.mark.parametrize(("release", "program"), CASES)
def test_every_weakening_is_turned_back_by_line(
    run_in_release: Callable[[str], RunInImage], release: str, program: str
) -> None:
    file = PROGRAMS / f"{program}.py"
    assert marked(file)
    assert warned(run_in_release(release), file, "strict") == marked(file)


def test_pytorch_too(with_torch: RunInImage) -> None:
    file = PROGRAMS / "pytorch.py"
    assert warned(with_torch, file, "strict") == marked(file)
    assert warned(with_torch, file, "deterministic") == []


def test_nothing_is_said_of_data_in_the_default_mode(run_in_image: RunInImage) -> None:
    assert warned(run_in_image, PROGRAMS / "data.py", "deterministic") == []


@pytest.mark.parametrize("mode", ["deterministic", "strict"])
@pytest.mark.parametrize("name", REFUSED)
def test_a_setting_that_weakens_determinism_is_refused(
    run_in_image: RunInImage, mode: str, name: str
) -> None:
    env = {"TF_REPRO": mode, name: REFUSED[name]}
    ended = run_in_image(["python3", "-c", "print('started')"], env=env)
    assert ended.exit_code == 78
    assert ended.stdout == ""
    assert ended.stderr.startswith(f"tf-repro: {name}={REFUSED[name]} works against")
    assert len(ended.stderr.splitlines()) == 1
