"""`make verify` on the host: what it says while containers run."""

from scripts.proof.verify import time_left


def test_the_time_left_falls_while_a_run_goes_on() -> None:
    assert time_left([], 3, 5.0) == ""
    assert [time_left([4.0], 3, passed) for passed in (4.0, 7.0, 60.0)] == [
        ", about 8 s left",
        ", about 5 s left",
        ", about 0 s left",
    ]
