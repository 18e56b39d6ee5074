"""Notebooks under verify, in a derived image: cells are compared beside the steps of a training."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from docker import DockerClient
from scripts.engine.containers import Finished
from tests.image.conftest import Install, RunInImage, derived

# `make test-all` sets it; else papermill stands for both.
WHOLE = os.environ.get("TEST_TEAMS") == "all"
NAME = "org/tf-repro-notebooks:test"
PACKAGES = (
    "nbclient==0.10.4 nbconvert==7.16.6 ipykernel==6.29.5 papermill==2.6.0 matplotlib==3.10.0"
)
TRAINING = (
    "import numpy as np, tensorflow as tf",
    "x, y = np.random.rand(64, 4), np.random.rand(64, 1)\nx[0]",
    "model = tf.keras.Sequential([tf.keras.layers.Dense(4), tf.keras.layers.Dense(1)])\n"
    "model.compile('adam', 'mse')\nmodel.fit(x, y, epochs=2)\nmodel.fit(x, y, verbose=2)",
    "%matplotlib inline\nimport matplotlib.pyplot as plt\n"
    "plt.ylim(0, 1)\nplt.plot(np.random.rand(5))",
)
CHANCE = ("import os\nprint('a')", "print(os.urandom(2))")
TAGGED = '{"tags": ["parameters"]}, "source": "rate = 1"'
OTHERS = (
    ("papermill", "a.ipynb", "out.ipynb", "-k", "python3"),
    ("jupyter", "nbconvert", "--to=notebook", "--execute", "--output=out.ipynb", "a.ipynb"),
)

Verify = Callable[..., Finished]


def notebook(sources: tuple[str, ...], counts: tuple[int, ...] = ()) -> str:
    cells: list[dict[str, object]] = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {},
            "source": source,
            "execution_count": counts[number] if counts else None,
            "outputs": [],
        }
        for number, source in enumerate(sources)
    ]
    # papermill wants to know the language.
    metadata = {"language_info": {"name": "python"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells})


@pytest.fixture(scope="session")
def with_notebooks(install: Install, client: DockerClient) -> Iterator[RunInImage]:
    yield from derived(install, client, f"pip install --no-cache-dir {PACKAGES}", NAME)


@pytest.fixture
def verify(with_notebooks: RunInImage, tmp_path: Path) -> Verify:
    """Return a function that verifies a notebook in two runs, or a command in its folder."""

    def verify(text: str, *command: str, **env: str) -> Finished:
        path = tmp_path / "a.ipynb"
        path.write_text(text)
        argv = ["tf-repro", "verify", "--runs=2", "--json=o.json", "--", *(command or ("a.ipynb",))]
        given = {"COLUMNS": "120", **env}
        return with_notebooks(argv, env=given, inputs=[path], outputs=["o.json"])

    return verify


def test_a_notebook_that_trains_prints_and_plots_is_the_same(verify: Verify) -> None:
    ended = verify(notebook(TRAINING, (2, 1, 3, 4)))
    assert ended.exit_code == 0, ended.stdout + ended.stderr
    assert "2 of 2 runs identical, 6 steps compared" in ended.stdout
    said = "a.ipynb was last run out of order: cell In[1] (import numpy as np, tensorflow as tf)"
    assert said in ended.stderr
    assert f"note: {said}" in ended.stdout


def test_without_seeds_the_cell_is_named_and_its_step_and_its_pixels(verify: Verify) -> None:
    ended = verify(notebook(TRAINING), TF_REPRO="off")
    assert ended.exit_code == 1, ended.stdout + ended.stderr
    first = "first difference: runs 1 and 2, cell In[3], initial weights: "
    assert first in ended.stdout
    sections = json.loads(ended.files["o.json"])["pairs"][0]["sections"]
    assert "a.ipynb: cell In[2] (x, y = np.random.rand" in json.dumps(sections["files"])


def test_pictures_are_compared_by_pixels(verify: Verify) -> None:
    """The text beside the picture names an object by its address, which does not count."""
    plot = (TRAINING[0], TRAINING[3])
    assert verify(notebook(plot)).exit_code == 0
    ended = verify(notebook(plot), TF_REPRO="off")
    assert ended.exit_code == 1, ended.stdout
    assert "display 2, image/png: " in ended.stdout + str(ended.files), ended.stdout
    assert " pixels differ, by up to " in ended.stdout + str(ended.files), ended.stdout


def test_it_runs_in_its_own_folder_and_the_users_own_stays_as_it_is(
    with_notebooks: RunInImage, tmp_path: Path
) -> None:
    """Also by its whole path, and under audit, which makes no copy of the working folder."""
    path = tmp_path / "sub/a.ipynb"
    path.parent.mkdir()
    text = notebook(("print(open('data.txt').read())", *CHANCE))
    path.write_text(text)
    (path.parent / "data.txt").write_text("7")
    for command in ("verify --runs=2 -- /work/sub/a.ipynb", "audit -- sub/a.ipynb"):
        argv = ["tf-repro", *command.split()]
        ended = with_notebooks(argv, inputs=[path.parent], outputs=["sub/a.ipynb"])
        assert ended.files["sub/a.ipynb"].decode() == text, ended.stdout + ended.stderr
        assert ended.exit_code == (1 if "verify" in command else 0), ended.stdout
        assert "In[3]:1" in ended.stdout, ended.stdout


def test_a_kernel_that_ends_slowly_still_writes_all_it_has_to(
    with_notebooks: RunInImage, tmp_path: Path
) -> None:
    """Jupyter gives a kernel five seconds to end, and one that trains on a busy machine longer."""
    path = tmp_path / "a.ipynb"
    # What is registered last is called first: our own are behind it.
    path.write_text(notebook((*CHANCE, "import atexit, time; atexit.register(time.sleep, 8)")))
    ended = with_notebooks(["tf-repro", "audit", "--", "a.ipynb"], inputs=[path])
    assert ended.exit_code == 0, ended.stdout + ended.stderr
    assert "In[2]:1" in ended.stdout, ended.stdout


def test_the_record_of_a_notebook_says_that_it_was_run_out_of_order(
    with_notebooks: RunInImage, tmp_path: Path
) -> None:
    (tmp_path / "a.ipynb").write_text(notebook(("1", "2"), (2, 1)))
    one, other = (f"tf-repro record --keep runs/run-{number} -- a.ipynb" for number in (1, 2))
    script = f"{one} && {other} && tf-repro judge runs"
    ended = with_notebooks(["sh", "-c", script], inputs=[tmp_path / "a.ipynb"])
    assert ended.exit_code == 0, ended.stdout + ended.stderr
    assert ended.stderr.count("a.ipynb was last run out of order: cell In[1] (1)") == 2
    assert "note: a.ipynb was last run out of order: cell In[1] (1)" in ended.stdout


def test_parameters_are_given_by_papermill(verify: Verify) -> None:
    text = notebook(("rate = 1", "print(rate)")).replace('{}, "source": "rate = 1"', TAGGED, 1)
    ended = verify(text, "a.ipynb", "-p", "rate", "3", "--log-output")
    assert ended.exit_code == 0, ended.stdout + ended.stderr
    ended = verify(text, "a.ipynb", "-p")
    assert ended.exit_code == 2
    assert ended.stderr.splitlines()[-1].startswith("tf-repro: a.ipynb -p exited with 2: Error: ")


@pytest.mark.parametrize("command", OTHERS if WHOLE else OTHERS[:1], ids=lambda command: command[0])
def test_so_are_those_that_other_tools_run(verify: Verify, command: tuple[str, ...]) -> None:
    ended = verify(notebook(TRAINING[:3]), *command)
    assert ended.exit_code == 0, ended.stdout + ended.stderr
    assert "6 steps compared" in ended.stdout
    # Control: what no seed reaches.
    ended = verify(notebook(CHANCE), *command)
    assert ended.exit_code == 1, ended.stdout + ended.stderr
    assert "out.ipynb: cell In[2] (print(os.urandom(2))): stdout, line 1: b'" in ended.stdout
    # The tool's own draws are named no more than a library's.
    assert "also:             In[2]:1: draws from os.urandom" in ended.stdout


@pytest.mark.parametrize("command", OTHERS if WHOLE else OTHERS[:1], ids=lambda command: command[0])
def test_a_cell_that_fails_in_other_tools_is_one_line(
    verify: Verify, command: tuple[str, ...]
) -> None:
    ended = verify(notebook(("1", "raise ValueError('bad\\nvery bad')")), *command)
    assert ended.exit_code == 2, ended.stdout
    cell = "cell In[2] (raise ValueError('bad\\nvery bad')): ValueError: bad very bad"
    expected = f"tf-repro: {' '.join(command)} exited with 1: {cell}"
    assert ended.stderr.splitlines()[-1] == expected


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        (("1", "1 / 0"), "cell In[2] (1 / 0): ZeroDivisionError: division by zero"),
        (("1", "import os; os._exit(3)"), "cell In[2] (import os; os._exit(3)): the kernel died"),
    ],
)
def test_a_cell_that_fails_is_one_line(
    verify: Verify, sources: tuple[str, ...], words: str
) -> None:
    ended = verify(notebook(sources))
    assert ended.exit_code == 2, ended.stdout
    assert ended.stderr.splitlines()[-1] == f"tf-repro: a.ipynb exited with 1: a.ipynb: {words}"


def test_an_image_without_kernels_says_what_to_install(
    run_in_image: RunInImage, tmp_path: Path
) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(notebook(CHANCE))
    ended = run_in_image(["tf-repro", "verify", "--", "a.ipynb"], inputs=[path])
    assert ended.exit_code == 2
    assert ended.stderr == (
        "tf-repro: a.ipynb: nbclient, nbformat, ipykernel are not installed here: pip install "
        "nbclient ipykernel\n"
    )
