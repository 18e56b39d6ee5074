"""Whose line of code it was: the user's own, never a library's or a generated one."""

import sysconfig
from pathlib import Path

import pytest

from tf_repro import caller

PURELIB = sysconfig.get_path("purelib")
STDLIB = sysconfig.get_path("stdlib")


@pytest.mark.parametrize(
    ("file", "is_library"),
    [
        ("/home/me/train.py", False),
        ("/tmp/train.py", False),
        ("<stdin>", False),
        (f"{STDLIB}/random.py", True),
        (f"{PURELIB}/numpy/__init__.py", True),
        ("/tmp/v/lib/python3.11/site-packages/keras/x.py", True),
        ("/tmp/__autograph_generated_file5x.py", True),
        (str(Path(caller.__file__).with_name("streams.py")), True),
        ("<frozen importlib._bootstrap>", True),
    ],
)
def test_a_file_is_a_library_or_the_users(file: str, is_library: bool) -> None:
    assert caller.is_library(file) is is_library


def test_the_place_is_the_innermost_line_of_the_user() -> None:
    """Through two library frames: a generated file that calls the standard library's sort."""
    code = compile(
        "from tf_repro import caller\n"
        "def inner():\n"
        "    return sorted([1], key=lambda _: found.append(caller.place()))",
        "/tmp/__autograph_generated_file1.py",
        "exec",
    )
    found: list[tuple[str, int]] = []
    space = {"found": found}
    exec(code, space)  # noqa: S102 - code of this very test

    def mine() -> None:
        space["inner"]()  # type: ignore[operator]  # what exec has defined

    mine()
    assert found == [(__file__, mine.__code__.co_firstlineno + 1)]
