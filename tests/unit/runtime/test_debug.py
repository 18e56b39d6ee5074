"""TF_REPRO_DEBUG=1: a line for every hook that arms, fires or fails; nothing without it."""

from pathlib import Path

import pytest

from tests.unit.runtime.conftest import Interpreter
from tf_repro import environment, resume, sources
from tf_repro.machine import processor

DEBUG = {"TF_REPRO_DEBUG": "1"}


@pytest.fixture
def numpy(tmp_path: Path) -> Path:
    """Return a folder with a library called numpy, of a release that nobody knows."""
    folder = tmp_path / "lib"
    (folder / "numpy" / "random").mkdir(parents=True)
    (folder / "numpy" / "__init__.py").write_text("__version__ = '9.9'\n")
    (folder / "numpy" / "random" / "__init__.py").write_text("")
    return folder


def said(text: str) -> list[str]:
    start = "tf-repro: debug: the hook of "
    return [line.removeprefix(start) for line in text.splitlines() if line.startswith(start)]


def test_every_hook_says_that_it_arms(python: Interpreter) -> None:
    ours = {*sources.WATCHED, *sources.IDENTITIES, *processor.ON_IMPORT}
    for mode, expected in {"off": ours, "on": ours | resume.WATCHED.keys()}.items():
        run = python("-c", "pass", env={**DEBUG, "TF_REPRO_RESUME": mode})
        armed = {line.split()[0] for line in said(run.stderr) if " arms" in line}
        assert armed == expected
        assert run.stderr.count("\n") == len(said(run.stderr))


def test_a_hook_that_fires_says_with_which_release(python: Interpreter) -> None:
    run = python("-c", "import random, platform; print(platform.python_version())", env=DEBUG)
    assert f"random fires (Python {run.stdout.strip()})" in said(run.stderr)


def test_a_hook_that_fails_says_why_and_with_which_release(
    python: Interpreter, numpy: Path
) -> None:
    run = python("-c", "import numpy.random; print('ran')", env=DEBUG, before=[numpy])
    assert run.stdout == "ran\n"
    lines = [line for line in said(run.stderr) if line.startswith("numpy") and "arms" not in line]
    assert lines[0].startswith("numpy fires before")  # it does not know its release yet
    assert lines[1:3] == ["numpy fires (numpy 9.9)", "numpy.random fires (numpy 9.9)"]
    assert lines[3].startswith("numpy.random fails by AttributeError: ")
    assert lines[3].endswith(" (numpy 9.9)")
    assert lines[4:] == ["numpy.random fires (numpy 9.9)"]  # the one of resuming, which has no need


@pytest.mark.parametrize("value", ["0", None])
def test_nothing_is_said_without_it(python: Interpreter, value: "str | None") -> None:
    assert python("-c", "import random", env={"TF_REPRO_DEBUG": value}).stderr == ""


def test_it_reaches_children_that_get_no_environment(python: Interpreter) -> None:
    assert "TF_REPRO_DEBUG" in environment.SETTINGS
    code = "import os, subprocess, sys; subprocess.run([sys.executable, '-c', 'pass'])"
    assert python("-c", code, env=DEBUG).stderr.count("the hook of cupy arms") == 2


def test_the_recorder_says_it_too(python: Interpreter, tmp_path: Path) -> None:
    run = python("-c", "pass", env={**DEBUG, "TF_REPRO_RECORD": str(tmp_path)})
    assert "tensorflow.python.eager.backprop arms" in said(run.stderr)


def test_setup_reproducibility_listens_too(python: Interpreter) -> None:
    code = "import tf_repro; tf_repro.setup_reproducibility(7)"
    run = python("-S", "-c", code, env=DEBUG)
    assert "torch arms" in said(run.stderr)
