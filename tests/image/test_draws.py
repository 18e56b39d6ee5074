"""What a draw means: the same in every run, and within a run no two draws repeat each other."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scripts import matrix
from tests.image.conftest import RunInImage

DRAWS = Path(__file__).parent / "draws"
DEFAULT = "2.15-cpu"
OTHER_RELEASES = ("2.12-cpu", "2.21-cpu")
# `make test-all` tries them all.
RELEASES = (
    [tag for tag in matrix.load().image if tag.endswith("-cpu")]
    if os.environ.get("TEST_IMAGES") == "all"
    else [DEFAULT, *OTHER_RELEASES]
)
# Of 400 independent pairs of numbers: five standard deviations of the correlation, and more equal
# values than chance ever gives.
CORRELATED = 0.25
EQUAL = 0.1
# XLA has a generator of its own, which begins alike in every process and heeds no seed.
OF_XLA = {"two_xla_functions", "two_calls_of_an_xla_function"}
# Python functions that may keep something: without determinism tf.data calls them side by side.
OF_DETERMINISM = {"python_functions_that_remember_in_two_epochs"}
# Of pairs, at least.
MANY = 70

Lines = list[list[str]]
Run = Callable[..., Lines]


@pytest.fixture
def run(run_in_release: Callable[[str], RunInImage]) -> Run:
    """Return a function that runs a program at the same time in containers of some settings."""

    def run(release: str, argv: list[str], *settings: Mapping[str, object]) -> Lines:
        run_in_image = run_in_release(release)

        def run_once(chosen: Mapping[str, object]) -> list[str]:
            limits = {name: value for name, value in chosen.items() if name != "mode"}
            ended = run_in_image(
                ["python3", *argv],
                env={
                    "TF_CPP_MIN_LOG_LEVEL": "3",
                    "TF_REPRO": str(chosen.get("mode", DETERMINISTIC)),
                },
                inputs=[*DRAWS.glob("*.py")],
                settings=limits,
            )
            assert ended.exit_code == 0, ended.stderr
            assert "does not draw by key" not in ended.stderr
            return ended.stdout.splitlines()

        with ThreadPoolExecutor(len(settings)) as pool:
            return list(pool.map(run_once, settings))

    return run


DETERMINISTIC = "deterministic"
OFF: Mapping[str, object] = {"mode": "off"}


def alike(lines: list[str]) -> list[str]:
    """Return the pairs that are not independent, or could not be drawn."""
    assert len(lines) > MANY
    found = []
    for line in lines:
        kind, _, *figures = line.split()
        if kind != "pair" or not (
            abs(float(figures[0])) < CORRELATED and float(figures[1]) < EQUAL
        ):
            found.append(line)
    return found


@pytest.mark.parametrize("release", RELEASES)
def test_what_is_independent_in_an_ordinary_image_is_here(run: Run, release: str) -> None:
    one_cpu = {"cpuset_cpus": "0"}
    first, second, third, control = run(release, ["battery.py"], {}, {}, one_cpu, OFF)
    assert alike(first) == alike(control) == []
    assert first == second == third
    assert {line.split()[1] for line in {*first} & {*control}} <= OF_XLA


@pytest.mark.parametrize("mode", ["seed", "strict"])
def test_in_the_other_modes_too(run: Run, mode: str) -> None:
    first, second = run(DEFAULT, ["battery.py"], *[{"mode": mode}] * 2)
    assert alike(first) == []
    apart = {line.split()[1] for line in {*first} ^ {*second}}
    assert apart <= (OF_DETERMINISM if mode == "seed" else set())


@pytest.mark.parametrize("release", RELEASES)
def test_a_script_that_seeds_tensorflow_gets_tensorflows_own_numbers(
    run: Run, release: str
) -> None:
    ours, theirs = run(release, ["own_seeds.py"], {}, OFF)
    assert len(ours) > 20
    assert ours == theirs


@pytest.mark.parametrize("others", ["more", "retrace", "replicas", "parallel"])
def test_what_others_do_moves_no_stream(run: Run, others: str) -> None:
    (alone,) = run(DEFAULT, ["moved.py", "nothing"], {})
    (beside,) = run(DEFAULT, ["moved.py", others], {})
    assert len(alone) == 4
    assert alone == beside


@pytest.mark.parametrize("release", [DEFAULT, OTHER_RELEASES[-1]])
def test_what_stands_for_a_kernel_gives_what_it_gives(run: Run, release: str) -> None:
    assert run(release, ["stand_ins.py"], {}) == [["all stand for the kernels"]]
