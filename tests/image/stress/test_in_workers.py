"""The stress within the workers of pytest-xdist, whose own threads run, too."""

import os

import forks
import pytest


@pytest.mark.parametrize("worker", [1, 2])
def test_stress(worker):
    with open(f"counted.{worker}", "w") as file:  # noqa: PTH123
        file.writelines(f"{line}\n" for line in forks.lines(float(os.environ["STRESS_SECONDS"])))
