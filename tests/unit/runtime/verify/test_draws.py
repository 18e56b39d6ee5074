"""Under `--bisect`, and for what is printed, the lines that draw are named."""

import sys
from pathlib import Path

import pytest

from tests.unit.runtime.conftest import Interpreter, python
from tf_repro.verify.running import draws

__all__ = ["python"]

PROGRAM = """\
import os, random, secrets
for _ in range(int(os.environ['DRAWS'])): random.random()
random.Random()
secrets.token_bytes(4)
"""


def recorded(python: Interpreter, name: str, number: int, *argv: str) -> Path:
    into = Path(name).resolve()
    command = ("record", "--keep", str(into), *argv, "--", "python3", "program.py")
    done = python("-m", "tf_repro", *command, env={"DRAWS": str(number)})
    assert done.returncode == 0, done.stderr
    return into


def test_lines_that_draw_more_often_are_named(python: Interpreter, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    folders = [
        recorded(python, f"{tmp_path}/{name}", number, "--bisect", "1")
        for name, number in (("a", 3), ("b", 4), ("c", 3))
    ]
    (said,) = draws.hints(folders[0], folders[1])
    assert said == (
        "program.py:2: random (global) was asked 3 times in one run of the extra pair and "
        "4 times in the other"
    )
    assert draws.hints(folders[0], folders[2]) == []


def test_without_bisect_nothing_is_noted(python: Interpreter, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    one, other = (recorded(python, f"{tmp_path}/{number}", number) for number in (3, 4))
    assert not (one / draws.FILE).exists()
    assert draws.hints(one, other) == []


# What a program prints -> the class of cause, and words of the reason and of what else is known.
PRINTED = {
    "import secrets\n\nprint(secrets.token_hex(4))\n": (
        "a random stream", "what these lines draw stays random: program.py:3 (os.urandom)",
        "program.py:3: os.urandom, 1 x: is random here too",
    ),
    "import random, time\nprint(time.time_ns(), random.random())\n": (
        "outside of training", "see whether the time, an address",
        "program.py:2: random (global), 1 x: would be seeded by the system",
    ),
    "import time\nimport library\nprint(time.time_ns(), library.name)\n": (
        "outside of training", "see whether the time, an address", "",
    ),
    "import os, time\nprint(os.listdir('.'), time.time_ns())\n": (
        "outside of training", "sort them: program.py:2 (os.listdir)",
        "program.py:2: os.listdir, 1 x: follows the file system",
    ),
    "import random, time\n[random.random() for _ in range(time.time_ns() % 100003)]\nprint("
    "random.random())\n": (
        "a random stream", "program.py:2 asks random (global)", "program.py:3: random (global)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("program", PRINTED)
def test_what_is_printed_without_a_training_gets_the_audits_answer(
    python: Interpreter, tmp_path: Path, program: str
) -> None:
    kind, *words = PRINTED[program]
    (tmp_path / "program.py").write_text(program)
    library = tmp_path / "site-packages" / "library.py"  # it draws a name at its import
    library.parent.mkdir()
    library.write_text("import os\nname = os.urandom(4).hex()\n")
    argv = ("verify", "--runs", "2", "--stdout", "--", sys.executable, "program.py")
    done = python("-m", "tf_repro", *argv, after=[library.parent])
    assert done.returncode == 1, done.stderr
    assert f"class of cause:   {kind}" in done.stdout
    for each in words:
        assert each in done.stdout


def test_where_nothing_is_seeded_nothing_is_said_of_draws(
    python: Interpreter, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text("import random\nprint(random.random())\n")
    argv = ("verify", "--runs", "2", "--stdout", "--", sys.executable, "program.py")
    done = python("-m", "tf_repro", *argv, env={"TF_REPRO": "off"})
    assert done.returncode == 1, done.stderr
    assert "because:          no step was recorded to tell more" in done.stdout
