"""Under `--bisect`, the lines that draw more often in one run are named."""

from pathlib import Path

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
