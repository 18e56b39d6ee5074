"""Every source of randomness: equal in every fresh container, and random where we are off.

The programs are in sources/, one for each. Each prints what it drew; a line that begins with
"stream" holds numbers that no other line may repeat.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.image.conftest import OTHER_RELEASES, RunInImage

SOURCES = Path(__file__).parent / "sources"

# What gives the same bits in an ordinary image too, now and then, and so is no control.
SAME_BY_CHANCE = {"tf_bincount"}
# Their order follows memory addresses, which a default container may not fix.
NEEDS_FIXED_ADDRESSES = {"object_order"}
NO_SOURCE = {"never_closed", "own_seeds"}
PROGRAMS = sorted(file.stem for file in SOURCES.glob("*.py") if file.stem not in NO_SOURCE)

DEFAULT = "2.15-cpu"
DEPENDS_ON_RELEASE = ("keras_", "numpy_", "tf_")

# Program -> the fixture of the derived image that has what it needs.
DERIVED = {
    "processes_joblib": "with_libraries",
    "scientific": "with_libraries",
    "torch_all": "with_torch",
}

Draw = Callable[..., list[list[str]]]


@pytest.fixture
def draw(request: pytest.FixtureRequest, run_in_release: Callable[[str], RunInImage]) -> Draw:
    """Return a function that runs a program in fresh containers, and returns the lines of each.

    They run at the same time: a run must not depend on how busy the machine is either.
    """

    def image_for(release: str, program: str) -> RunInImage:
        if program in DERIVED:
            image: RunInImage = request.getfixturevalue(DERIVED[program])
            return image
        return run_in_release(release)

    def run(
        program: str, *envs: Mapping[str, str], release: str = DEFAULT, **settings: object
    ) -> list[list[str]]:
        run_in_image, file = image_for(release, program), SOURCES / f"{program}.py"

        def run_once(env: Mapping[str, str]) -> list[str]:
            ended = run_in_image(
                ["python3", file.name],
                env={"TF_CPP_MIN_LOG_LEVEL": "3", **env},
                inputs=[file],
                settings=settings,
            )
            assert ended.exit_code == 0, ended.stderr
            assert ended.stdout, ended.stderr
            return ended.stdout.splitlines()

        with ThreadPoolExecutor(len(envs)) as pool:
            return list(pool.map(run_once, envs))

    return run


def grouped(programs: Iterable[str]) -> list[Any]:
    """Keep those that share a derived image on one worker: the conftest cannot see that they do."""
    return [
        pytest.param(program, marks=pytest.mark.xdist_group(DERIVED[program]))
        if program in DERIVED
        else program
        for program in programs
    ]


def options_for(program: str) -> dict[str, Any]:
    if program in NEEDS_FIXED_ADDRESSES:
        return {"security_opt": ["seccomp=unconfined"]}
    return {}


@pytest.mark.parametrize("program", grouped(PROGRAMS))
def test_is_equal_in_every_fresh_container(draw: Draw, program: str) -> None:
    first, second, third = draw(program, *[{}] * 3, **options_for(program))
    assert first == second == third
    no_number_repeats(first)


@pytest.mark.parametrize("program", grouped(sorted(set(PROGRAMS) - SAME_BY_CHANCE)))
def test_is_random_in_an_ordinary_image(draw: Draw, program: str) -> None:
    first, second = draw(program, *[{"TF_REPRO": "off"}] * 2)
    assert first != second


@pytest.mark.parametrize("program", [one for one in PROGRAMS if one.startswith(DEPENDS_ON_RELEASE)])
@pytest.mark.parametrize("release", OTHER_RELEASES)
def test_in_other_releases_too(draw: Draw, release: str, program: str) -> None:
    first, second, control = draw(program, {}, {}, {"TF_REPRO": "off"}, release=release)
    assert first == second
    assert program in SAME_BY_CHANCE or first != control
    no_number_repeats(first)


def no_number_repeats(lines: list[str]) -> None:
    streams = [line for line in lines if line.startswith("stream")]
    assert len(set(streams)) == len(streams)


@pytest.mark.parametrize("program", ["random_module", "numpy_generators", "tf_random", "fork"])
def test_another_seed_gives_other_numbers(draw: Draw, program: str) -> None:
    default, first, second = draw(program, {}, {"TF_REPRO_SEED": "42"}, {"TF_REPRO_SEED": "43"})
    assert default == first != second


@pytest.mark.parametrize("mode", ["deterministic", "seed", "strict", "off"])
def test_what_must_be_random_is(draw: Draw, mode: str) -> None:
    first, second = draw("never_closed", *[{"TF_REPRO": mode}] * 2)
    assert len(first) == 7
    assert not set(first) & set(second)


@pytest.mark.parametrize("mode", ["deterministic", "seed", "strict"])
def test_a_script_that_seeds_itself_gets_what_it_asked_for(draw: Draw, mode: str) -> None:
    ours, theirs = draw("own_seeds", {"TF_REPRO": mode}, {"TF_REPRO": "off"})
    assert ours == theirs


@pytest.mark.parametrize("program", ["keras_fit", "tf_data"])
def test_the_number_of_processors_changes_nothing(draw: Draw, program: str) -> None:
    one = draw(program, {}, cpuset_cpus="0")
    assert one == draw(program, {}, cpuset_cpus="0-1")
    assert one == draw(program, {}, nano_cpus=10**9)
