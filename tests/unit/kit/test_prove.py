"""The verdict: identical means to the bit, and a control that is not random proves nothing."""

from hypothesis import given
from hypothesis import strategies as st

from scripts.proof.prove import Run, judge


def run(mode: str, *, weights: str, loss: float = 0.5, seconds: float = 1.0) -> Run:
    return Run(mode, loss, 0.9, weights, seconds)


def runs(with_us: str, control: str) -> list[Run]:
    """Make runs from a letter each: equal letters are equal weights."""
    return [run("deterministic", weights=one) for one in with_us] + [
        run("off", weights=one) for one in control
    ]


def test_three_identical_and_a_random_control() -> None:
    verdict = judge(runs("aaa", "xyz"))
    assert verdict.holds
    assert "3 of 3 identical" in verdict.sentence
    assert "3 different" in verdict.sentence


def test_one_run_that_differs_is_a_failure() -> None:
    verdict = judge(runs("aba", "xyz"))
    assert not verdict.holds
    assert "2 of 3 identical" in verdict.sentence
    assert "does NOT" in verdict.sentence


def test_a_control_that_repeats_itself_proves_nothing() -> None:
    verdict = judge(runs("aaa", "xxz"))
    assert not verdict.holds
    assert "proves nothing" in verdict.sentence


def test_a_loss_that_differs_in_the_last_bit_counts() -> None:
    same = [run("deterministic", weights="a") for _ in range(2)]
    off = [run("off", weights=one) for one in "xyz"]
    assert not judge([*same, run("deterministic", weights="a", loss=0.5 + 2**-53), *off]).holds


@given(times=st.lists(st.floats(0, 1e3), min_size=3, max_size=3))
def test_time_never_counts(times: list[float]) -> None:
    same = [run("deterministic", weights="a", seconds=seconds) for seconds in times]
    assert judge([*same, *(run("off", weights=one) for one in "xyz")]).holds
