"""`tf-repro doctor --golden`: this machine gives the bits that were published with the image."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from scripts import matrix
from tests.image.conftest import RunInImage

CPU_IMAGES = [tag for tag, image in matrix.load().image.items() if image.device == "cpu"]
COMMAND = ["tf-repro", "doctor", "--golden"]


@pytest.mark.parametrize("tag", ["2.15-cpu", "2.21-cpu"])
def test_the_published_bits_are_computed_here(
    run_in_release: Callable[[str], RunInImage], tag: str
) -> None:
    ended = run_in_release(tag)(COMMAND)
    assert ended.exit_code == 0, ended.stdout
    assert re.match(r"the same bits as published in 5\d\d ops and trainings", ended.stdout)


@pytest.mark.parametrize("tag", CPU_IMAGES)
def test_the_published_bits_are_computed_on_one_cpu(
    run_in_release: Callable[[str], RunInImage], tag: str
) -> None:
    """They were first seen on two, whose number oneDNN of 2.12 followed once."""
    ended = run_in_release(tag)(COMMAND, settings={"cpuset_cpus": "0"})
    assert ended.exit_code == 0, ended.stdout
    assert re.match(r"the same bits as published in 5\d\d ops and trainings", ended.stdout)


def test_other_kernels_give_others_and_the_first_op_is_named(run_in_image: RunInImage) -> None:
    ended = run_in_image([*COMMAND, "--json"], env={"TF_ENABLE_ONEDNN_OPTS": "0"})
    assert ended.exit_code == 1, ended.stderr
    told = json.loads(ended.stdout)
    assert 0 < len(told["differing"]) < told["compared"] / 2
    assert not any(name.startswith("numpy") for name in told["differing"])
