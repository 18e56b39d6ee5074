"""The same training twice on a GPU, in fresh containers: equal to the bit, and what that costs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gpu.conftest import ALL_GPUS
from tests.gpu.running import OPS_THAT_RAISE, PROGRAMS, outcome, result
from tests.image.conftest import RunInImage
from tf_repro.doctor import raising_ops

# A GPU is given more to do than the CPUs of tests/image/test_gpu_programs.py.
SCALE = 4


@pytest.mark.parametrize("program", PROGRAMS)
def test_twice_the_same(program: str, on_gpu: RunInImage, figures: dict[str, Any]) -> None:
    """With controls: seeds without deterministic kernels, and neither."""
    with_us, seeded, off = (
        [outcome(on_gpu, program, mode=mode, scale=SCALE, settings=ALL_GPUS) for _ in range(2)]
        for mode in (None, "seed", "off")
    )
    figures["programs"][program] = {
        "equal": result(with_us[0]) == result(with_us[1]),
        "equal_with_seeds_alone": result(seeded[0]) == result(seeded[1]),
        "equal_when_off": result(off[0]) == result(off[1]),
        "weights": with_us[0]["weights"],
        "step_time_ratio": min(run["step_ms"] for run in with_us)
        / min(run["step_ms"] for run in seeded),
    }
    assert all(run["devices"] for run in (*with_us, *seeded, *off)), "it ran on no GPU"
    assert result(with_us[0]) == result(with_us[1])
    assert result(off[0]) != result(off[1]), "the control is not random, so this proves nothing"


def test_the_ops_that_raise_say_so_and_are_listed(
    on_gpu: RunInImage, figures: dict[str, Any]
) -> None:
    found = outcome(on_gpu, OPS_THAT_RAISE, settings=ALL_GPUS)
    assert found["gpus"]
    figures["ops_that_raise"] = found["said"]
    raised = {name for name, said in found["said"].items() if said != "ran"}
    listed = " ".join(row[0] for row in raising_ops.RAISE)
    closed = " ".join(row[0] for row in raising_ops.CLOSED)
    assert [name for name in raised if name not in listed] == []
    assert [name for name in raised if name in closed] == []
    plain = outcome(on_gpu, OPS_THAT_RAISE, mode="off", settings=ALL_GPUS)
    assert {name for name, said in plain["said"].items() if said != "ran"} == set()
