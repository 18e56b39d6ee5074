"""The programs of the GPU proof, on a CPU: so that they are tried where there is no GPU."""

from __future__ import annotations

import pytest

from tests.gpu.running import OPS_THAT_RAISE, PROGRAMS, outcome, result
from tests.image.conftest import RunInImage


@pytest.mark.parametrize("program", PROGRAMS)
def test_twice_the_same(program: str, run_in_image: RunInImage) -> None:
    first, second = (outcome(run_in_image, program) for _ in range(2))
    assert result(first) == result(second)
    assert first["step_ms"] > 0
    assert first["devices"] == []


def test_the_control_differs(run_in_image: RunInImage) -> None:
    """One is enough: `make prove` and the tests of the sources have controls of their own."""
    first, second = (outcome(run_in_image, "embeddings", mode="off") for _ in range(2))
    assert result(first) != result(second)


def test_on_a_cpu_only_pooling_under_xla_raises(run_in_image: RunInImage) -> None:
    said = outcome(run_in_image, OPS_THAT_RAISE)["said"]
    raised = {name: text for name, text in said.items() if text != "ran"}
    assert list(raised) == ["max pooling under XLA"]
    assert "deterministic XLA implementation" in raised["max pooling under XLA"]
