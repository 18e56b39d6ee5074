"""How the outcomes of other people's tests are compared, with reports made up."""

from collections.abc import Callable, Sequence

from tests.image import others

EXPECTED = [
    {"test": "test.c.expected", "reason": "so"},
    {"test": "with_a_parameter", "reason": "so"},
]


def report(**tests: str) -> str:
    """Return a report of tests of one class, and what became of each: passed, failure or error."""
    cases = "".join(
        f'<testcase classname="test.c" name="{name}">{"" if how == "passed" else f"<{how}/>"}'
        "</testcase>"
        for name, how in tests.items()
    )
    return f"<testsuites><testsuite>{cases}</testsuite></testsuites>"


def running(*turns: tuple[str, str]) -> Callable[[str, Sequence[str]], str]:
    """Return a run whose reports of both modes are given, for each time that it is asked."""
    left = {mode: [turn[at] for turn in turns] for at, mode in enumerate(others.MODES)}
    return lambda mode, _: left[mode].pop(0)


def test_a_report_is_read() -> None:
    outcome = others.read(report(a="passed", b="failure", c="error", d="skipped"))
    assert outcome.seen == {"test.c.a", "test.c.b", "test.c.c", "test.c.d"}
    assert outcome.failed == {"test.c.b", "test.c.c"}


def test_what_fails_in_both_modes_is_no_difference() -> None:
    both = report(a="passed", b="failure")
    assert others.differences(running((both, both)), [])[1] == set()


def test_what_fails_in_one_mode_every_time_is_one() -> None:
    ours, theirs = report(a="failure"), report(a="passed")
    assert others.differences(running(*[(ours, theirs)] * others.TRIES), [])[1] == {"test.c.a"}
    assert others.differences(running(*[(theirs, ours)] * others.TRIES), [])[1] == {"test.c.a"}


def test_what_follows_the_clock_is_none() -> None:
    passed, failed = report(a="passed"), report(a="failure")
    assert others.differences(running((failed, passed), (passed, passed)), [])[1] == set()


def test_what_only_one_mode_gets_to_is_one() -> None:
    ours, theirs = report(a="passed"), report(a="passed", b="passed")
    assert others.differences(running(*[(ours, theirs)] * others.TRIES), [])[1] == {"test.c.b"}


def test_what_is_expected_is_not_run_again() -> None:
    ours, theirs = report(expected="failure"), report(expected="passed")
    assert others.differences(running((ours, theirs)), EXPECTED)[1] == {"test.c.expected"}


def test_a_row_names_a_test_or_its_function() -> None:
    assert others.is_expected("test.c.expected", EXPECTED)
    assert others.is_expected("joblib.test.with_a_parameter[a.b-1]", EXPECTED)
    assert not others.is_expected("test.c.another", EXPECTED)
