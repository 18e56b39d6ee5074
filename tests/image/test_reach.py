"""How far the bits reach: anywhere, or this machine with all that it has."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from docker import DockerClient
from scripts.build import build
from scripts.proof.reach import compare, known, processors, qemu
from scripts.proof.reach.processors import NATIVE, Processor
from scripts.proof.reach.reach import take
from scripts.proof.reach.running import Runner
from tests.image.conftest import OWNER, RunInImage

PROGRAM = Path(__file__).parent / "reach" / "steps.py"
OF_THE_IMAGE = "TF_NUM_INTRAOP_THREADS TF_ENABLE_ONEDNN_OPTS"


def steps(run_in_image: RunInImage, env: Mapping[str, str], **settings: object) -> list[str]:
    """Return the digest of the weights after some steps, and the variables that are left."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", **env}
    ended = run_in_image(
        ["python3", PROGRAM.name], env=quiet, inputs=[PROGRAM], settings=dict(settings)
    )
    assert ended.exit_code == 0, ended.stderr
    return ended.stdout.splitlines()


def test_both_reaches_repeat_and_anywhere_heeds_no_number_of_cpus(run_in_image: RunInImage) -> None:
    machine = {"TF_REPRO_REACH": "machine"}
    with ThreadPoolExecutor(2) as pool:
        ours = pool.map(lambda env: steps(run_in_image, env), [machine, machine])
        theirs = pool.map(lambda cpus: steps(run_in_image, {}, cpuset_cpus=cpus), ["0", "0-1"])
        at_full_speed, again = ours
        on_one, on_two = theirs
    assert at_full_speed == again
    assert at_full_speed[1] == ""
    assert on_one == on_two
    assert on_one[1] == OF_THE_IMAGE


def test_the_choice_of_kernels_that_the_image_fixes_decides_bits(run_in_image: RunInImage) -> None:
    """As TensorFlow chooses by itself where the processor has no AVX512_VNNI or its like."""
    fixed, *_ = steps(run_in_image, {})
    other, *_ = steps(run_in_image, {"TF_ENABLE_ONEDNN_OPTS": "0"})
    assert fixed != other


@pytest.mark.parametrize(("reach", "given"), [("anywhere", "yes"), ("machine", "NO")])
def test_doctor_names_the_reach(run_in_image: RunInImage, reach: str, given: str) -> None:
    ended = run_in_image(["tf-repro", "doctor", "--json"], env={"TF_REPRO_REACH": reach})
    said = json.loads(ended.stdout)
    assert said["reach"] == reach
    rows = [row for row in said["guarantees"] if row["guarantee"].startswith("the same bits on")]
    assert rows[0]["given"] == given
    assert len(rows) == (1 if reach == "machine" else 7)


def test_an_unknown_reach_is_one_line(run_in_image: RunInImage) -> None:
    ended = run_in_image(["python3", "-c", "print(1)"], env={"TF_REPRO_REACH": "everywhere"})
    assert (ended.exit_code, ended.stdout) == (78, "")
    assert ended.stderr.startswith("tf-repro: TF_REPRO_REACH='everywhere' is not known")


@pytest.fixture(scope="module")
def runner(client: DockerClient, built: build.Built) -> Runner:
    """Computes the sample of `make test-reach SAMPLE=1`."""
    return Runner(client, built.name, qemu.program(), sample=True, owner=OWNER)


def test_two_emulated_processors_part_in_what_is_listed_alone(runner: Runner) -> None:
    """They are the same on whatever machine this runs."""
    haswell, epyc = (Processor(model, model) for model in ("Haswell-noTSX", "EPYC"))
    both = take(runner, [haswell, epyc], ["ops"], jobs=2)
    assert "AMD" in both[1].seen.processor != both[0].seen.processor
    verdict = compare.judged(both, known.read("2.15-cpu"), whole=False)
    assert verdict.missing == ()
    assert [one.row.name for one in verdict.unknown] == []
    assert verdict.compared > 250


def test_a_built_processor_and_an_emulated_one_part_in_what_is_listed_alone(
    runner: Runner,
) -> None:
    model = processors.MODELS[0]
    native, emulated = take(runner, [NATIVE, Processor(model, model)], jobs=2)
    verdict = compare.judged([native, emulated], known.read("2.15-cpu"), whole=False)
    assert verdict.missing == ()
    assert [one.row.name for one in verdict.unknown] == []
    assert verdict.compared > 300


def test_a_processor_that_estimates_parts_from_one_that_does_not(runner: Runner) -> None:
    """The control: QEMU estimates nothing, and every processor that is built does."""
    ours = {"TF_REPRO_REACH": "machine"}
    model = processors.MODELS[0]
    both = take(runner, [Processor("machine", env=ours), Processor(model, model)], ["ops"], jobs=2)
    verdict = compare.judged(both, known.read("2.15-cpu"), whole=False)
    assert "rsqrt float32" in {one.row.of for one in verdict.unknown}


def test_other_kernels_are_found_under_emulation(runner: Runner) -> None:
    """The control: what the tests above compare can differ."""
    model = processors.MODELS[0]
    control = Processor("control", model, env={"TF_ENABLE_ONEDNN_OPTS": "0"})
    both = take(runner, [Processor(model, model), control], ["trainings"], jobs=2)
    verdict = compare.judged(both, known.read("2.15-cpu"), whole=False)
    assert [one.row.row for one in verdict.unknown] == ["training convolutions"]
