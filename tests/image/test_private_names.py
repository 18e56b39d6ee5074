"""The private names that the runtime touches are there, in every release that its table names."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.image.conftest import RunInImage
from tf_repro import private_names

PROGRAM = Path(__file__).with_name("look_up_names.py")


@pytest.mark.parametrize("release", private_names.ALL.split())
def test_every_private_name_is_there(
    run_in_release: Callable[[str], RunInImage], release: str
) -> None:
    env = {"RELEASE": release}
    ended = run_in_release(f"{release}-cpu")(["python3", PROGRAM.name], env=env, inputs=[PROGRAM])
    assert (ended.exit_code, ended.stdout) == (0, ""), ended.stderr
