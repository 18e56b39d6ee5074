"""Where Python is started from: environments, flags, pipes, and other people's sitecustomize."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.image.conftest import RunInImage

# random.seed(42); random.random()
SEEDED = "0.6394267984578837"
DRAW = "import random; print(random.random())"

Shell = Callable[..., list[str]]


@pytest.fixture
def shell(run_in_image: Callable[..., Any]) -> Shell:
    """Return a function that runs a line of shell in a fresh container; it returns its lines."""

    def run(line: str, env: "Mapping[str, str] | None" = None, **options: object) -> list[str]:
        ended = run_in_image(["sh", "-euc", line], env=env, settings=options)
        assert ended.exit_code == 0, ended.stderr
        lines: list[str] = ended.stdout.splitlines()
        return lines

    return run


STARTS = {
    "plainly": "python3 -c '{draw}'",
    "isolated": "python3 -I -c '{draw}'",
    "without the environment": "python3 -E -c '{draw}'",
    "in an empty environment": "env -i $(command -v python3) -c '{draw}'",
    "from a pipe": "echo '{draw}' | python3",
    "from a pipe by name": "echo '{draw}' | python3 -",
    "as a script": "echo '{draw}' > /tmp/s.py; python3 /tmp/s.py",
    "as a module": "cd /tmp; echo '{draw}' > m.py; python3 -m m",
    "the system's interpreter": "/usr/bin/python3 -c '{draw}'",
    "in a plain environment": "python3 -m venv --without-pip /tmp/v; /tmp/v/bin/python -c '{draw}'",
    "in one with the system's packages": (
        "python3 -m venv --without-pip --system-site-packages /tmp/v; /tmp/v/bin/python -c '{draw}'"
    ),
    "behind the user's sitecustomize": (
        "mkdir /tmp/u; echo 'print(\"theirs\")' > /tmp/u/sitecustomize.py; "
        "export PYTHONPATH=/tmp/u; python3 -c '{draw}'"
    ),
    "before a sitecustomize in the environment": (
        "python3 -m venv --without-pip /tmp/v; echo 'print(\"theirs\")' > "
        "/tmp/v/lib/python3.11/site-packages/sitecustomize.py; /tmp/v/bin/python -c '{draw}'"
    ),
}


@pytest.mark.parametrize("start", STARTS)
def test_is_seeded_however_it_is_started(shell: Shell, start: str) -> None:
    line = STARTS[start].format(draw=DRAW)
    printed = shell(line)
    assert printed[-1] == SEEDED
    assert printed[:-1] == (["theirs"] if "theirs" in line else [])
    assert shell(line, env={"TF_REPRO": "off"})[-1] != SEEDED


def test_doctor_reports_the_one_gap(shell: Shell) -> None:
    """A plain environment and a sitecustomize before ours: nothing of ours is asked there."""
    printed = shell(
        "mkdir /tmp/u; : > /tmp/u/sitecustomize.py; python3 -m venv --without-pip /tmp/v; "
        "export PYTHONPATH=/tmp/u; /tmp/v/bin/python -m tf_repro doctor || echo exit $?"
    )
    assert printed[-1] == "exit 1"
    assert any(line.startswith("NO     libraries are seeded") for line in printed)


def test_pip_works_and_does_not_show_us(shell: Shell) -> None:
    printed = shell(
        "python3 -m pip --version; python3 -m pip list 2>/dev/null; python3 -m pip check"
    )
    assert printed[0].startswith("pip ")
    assert not any("repro" in line for line in printed[1:])


def test_pytest_and_its_workers_are_seeded(with_libraries: RunInImage) -> None:
    """Which worker takes which test is a race; what each draws as it starts is not."""
    draw = "import os, random\nW = os.environ.get('PYTEST_XDIST_WORKER', 'alone')\n"
    draw += "open(f'drawn.{W}', 'w').write(str(random.random()))\n\ndef test(): pass\n"
    line = (
        f'printf %s "{draw}" > test_drawn.py; python3 -m pytest -q; python3 -m pytest -q -n 2; '
        "grep -H . drawn.* >&2"
    )
    ended = with_libraries(["sh", "-euc", line])
    assert ended.exit_code == 0, ended.stdout + ended.stderr
    assert ended.stderr.split() == [f"drawn.{name}:{SEEDED}" for name in ("alone", "gw0", "gw1")]


def test_a_notebook_kernel_is_seeded(with_libraries: RunInImage) -> None:
    program = (
        "from jupyter_client.manager import run_kernel\n"
        "with run_kernel() as client:\n"
        f"    client.execute_interactive('{DRAW}', timeout=60)"
    )
    drawn = []
    for mode in ("deterministic", "deterministic", "off"):
        env = {"HOME": "/tmp", "TF_REPRO": mode}
        ended = with_libraries(["python3", "-c", program], env=env)
        assert ended.exit_code == 0, ended.stderr
        drawn.append(ended.stdout.splitlines()[-1])
    assert drawn[:2] == [SEEDED, SEEDED]
    assert drawn[2] != SEEDED


def test_addresses_are_fixed_where_the_container_allows_it(shell: Shell) -> None:
    line = "python3 -c 'print(id(object()))'"
    allowed = {"security_opt": ["seccomp=unconfined"]}
    assert shell(line, **allowed) == shell(line, **allowed)
    assert shell(line) != shell(line)


@pytest.mark.parametrize("release", ["2.12-cpu", "2.15-cpu", "2.21-cpu"])
def test_numpy_comes_without_a_word(run_in_release: Callable[[str], Any], release: str) -> None:
    """Whatever instruction sets the machine has that are switched off, in a child as well."""
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import numpy'])"
    ended = run_in_release(release)(["python3", "-W", "always", "-c", f"import numpy; {child}"])
    assert (ended.exit_code, ended.stderr) == (0, "")
