"""The pytest plugin in somebody's project: an interpreter with the runtime, no TensorFlow."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from tests.unit.runtime.conftest import Interpreter
from tf_repro.pytest_plugin import golden_file, values

TYPES = ("float32", "float64", "float16", "int64", "bool", "complex64")
Ran = subprocess.CompletedProcess[str]
Pytest = Callable[..., Ran]

OUTCOMES = """
import secrets, unittest
import numpy as np
import pytest

marked = pytest.mark.reproducible

@pytest.fixture
def start(tmp_path, request):
    (tmp_path / "file").write_text("written")
    return request.config.getoption("--shift")

@marked(runs=3)
def test_same(start, reproducible):
    reproducible.check("draws", np.random.rand(3) + start)

@marked
@pytest.mark.parametrize("n", [1], ids=["one [x]"])
def test_parts(n, reproducible):
    reproducible.check("chance", secrets.randbits(60))

@marked
def test_leaves_nothing(): pass

@marked
def test_fails(): assert 1 == 2, "as meant"

@marked
@pytest.mark.xfail(reason="known")
def test_xfails(): assert 1 == 2

@marked
@pytest.mark.skip(reason="later")
def test_skipped(): pass

@marked(run=3)
def test_misspelt(): pass

@marked(runs=1)
def test_once(): pass

class TestCase(unittest.TestCase):
    @marked
    def test_of_unittest(self):
        self.fail("in a case")
"""
CHECKS = """
import numpy as np

def test_values(reproducible):
    reproducible.check("thirds", np.arange(6, dtype="float32").reshape(2, 3) / 3 {plus})
    reproducible.check("words", {{"list": [1, "two", b"3", None, True], "real": 0.1}})
"""


@pytest.fixture
def run_pytest(python: Interpreter, tmp_path: Path) -> Pytest:
    (tmp_path / "conftest.py").write_text(
        "def pytest_addoption(parser): parser.addoption('--shift', type=float, default=0.0)\n"
    )

    def run(*argv: str, **env: str) -> Ran:
        return python("-m", "pytest", "-p", "no:hypothesispytest", *argv, env=env)

    return run


def test_a_marked_test_runs_in_fresh_interpreters_and_is_reported_as_any_other(
    run_pytest: Pytest, tmp_path: Path
) -> None:
    (tmp_path / "test_all.py").write_text(OUTCOMES)
    argv = ("--shift=0.5", "-rA", "--strict-markers", "--golden-update", "--junitxml=o.xml")
    ran = run_pytest(*argv)
    out = ran.stdout
    assert "5 failed" not in out
    lines = out.splitlines()
    assert "PASSED test_all.py::test_same" in lines
    assert "XFAIL test_all.py::test_xfails - known" in lines
    assert any(line.startswith("SKIPPED [1] test_all.py:") for line in lines), out
    assert "1 passed, 1 skipped, 1 xfailed" in lines[-1].partition("failed, ")[2]
    assert "first difference: runs 1 and 2, points of the user: chance, call 1" in lines
    assert any("the runs leave nothing to compare" in line for line in lines)
    assert "AssertionError: as meant" in out
    assert "AssertionError: in a case" in out
    assert "@pytest.mark.reproducible got an unexpected keyword argument 'run'" in lines
    assert "@pytest.mark.reproducible: runs=1 is not a number from 2 up" in lines
    assert (tmp_path / "o.xml").read_text().count("<testcase ") == 9
    assert "Traceback" not in out
    # The option that the project has added itself has reached the runs.
    golden = json.loads((tmp_path / "golden/test_all.json").read_text())["tests"]
    kept = golden["test_same"]["draws"]["values"][""]["kept"]
    assert all(0.5 <= float(number) <= 1.5 for number in kept.split(" "))
    # Its values are the golden ones without the plugin's own processes, too, under any worker.
    assert run_pytest("--shift=0.5", "-n2", "-k", "same").returncode == 0
    other = run_pytest("--shift=0.5", "-k", "same", TF_REPRO_SEED="7")
    assert "another seed: 42 -> 7" in other.stdout
    assert "NOT the golden bits of golden/test_all.json" in other.stdout


def test_a_value_is_compared_with_the_file_beside_the_test(
    run_pytest: Pytest, tmp_path: Path
) -> None:
    test, golden = tmp_path / "test_values.py", tmp_path / "golden/test_values.json"
    test.write_text(CHECKS.format(plus=""))
    missing = run_pytest("-n2")
    assert missing.returncode == 1
    assert "golden/test_values.json has no such value of test_values; pytest" in missing.stdout
    written = run_pytest("-n2", "--golden-update")
    assert "golden values written: golden/test_values.json" in written.stdout.splitlines()
    assert run_pytest().returncode == 0
    test.write_text(CHECKS.format(plus="* np.float32(1.0000001)"))
    said = run_pytest().stdout
    assert "5 of 6 elements differ, first at [0, 1]: 0.33333334 is 0.33333337 (largest" in said
    assert "nothing around it explains that: it is the code, or its data" in said

    whole = golden.read_text()
    for text, words in (
        (whole.replace('"tf_repro_golden": 1', '"tf_repro_golden": 2'), "version 2; this tf-repro"),
        ("<<<<<<< HEAD\n" + whole, "it has the conflicts of a merge in it; choose a side"),
        ("[]", "not a golden file"),
        ("{", "not a golden file"),
        (whole.replace('"image": ""', '"image": "sha256:1"'), "5 of 6 elements differ"),
    ):
        golden.write_text(text)
        said = run_pytest().stdout
        assert words in said, said
        assert "Traceback" not in said


def test_it_is_found_by_those_who_look_for_plugins_and_by_no_list_of_packages(
    python: Interpreter,
) -> None:
    code = (
        "from importlib.metadata import distributions, entry_points, version\n"
        "import sys\n"
        "print([one.value for one in entry_points(group='pytest11') if 'repro' in one.name])\n"
        "print([one.name for one in distributions(path=sys.path[:]) if 'repro' in one.name])\n"
        "print(version('tf-repro'), 'pytest' in sys.modules)\n"
    )
    for mode in ("deterministic", "off"):
        ran = python("-c", code, env={"TF_REPRO": mode})
        assert ran.stdout.splitlines() == ["['tf_repro.pytest_plugin']", "[]", "1 False"], ran


def test_entries_of_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "golden" / "test_a.json"
    one, other = ({"values": {"": number}, "made": {}} for number in (1, 2))
    golden_file.put(path, "test_a", "x", one)
    golden_file.put(path, "test_b", "x", other)
    golden_file.put(path, "test_a", "y", other)
    assert golden_file.entry(path, "test_a", "x") == one
    assert golden_file.entry(path, "test_b", "x") == other
    assert golden_file.entry(path, "test_b", "y") is None
    assert [one.name for one in path.parent.iterdir()] == ["test_a.json"]


@given(
    arrays.arrays(
        st.sampled_from([np.dtype(name) for name in TYPES]),
        arrays.array_shapes(min_dims=0, max_dims=3, max_side=20),
    )
)
def test_what_is_kept_of_an_array_reads_back_to_the_same_bits(array: NDArray[Any]) -> None:
    ((_, leaf),) = values.leaves(array)
    kept = json.loads(json.dumps(leaf.as_json))
    assert values.difference(kept, leaf) == ""
    flat = array.ravel()
    places = values.places(flat.size)
    assert len(leaf.kept) == min(flat.size, values.KEPT)
    if array.dtype.kind == "f":
        back = np.array([float(text) for text in leaf.kept], array.dtype)
        np.testing.assert_array_equal(back, flat[places])


@given(
    st.floats(width=32, allow_nan=False, allow_infinity=False), st.integers(0, 999), st.booleans()
)
def test_one_bit_is_a_difference_in_words(value: float, place: int, large: bool) -> None:
    array: Any = np.zeros(1000 if large else 20, "float32")
    place %= array.size
    other = array.copy()
    other[place] = value
    ((_, before),), ((_, now),) = values.leaves(array), values.leaves(other)
    words = values.difference(before.as_json, now)
    if value == 0 and not np.signbit(value):
        assert words == ""
    elif place in values.places(array.size):
        assert f"first at [{place}]: 0.0 is {np.float32(value)!s}" in words
    else:
        assert "elements that are kept differs, others do" in words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (object(), "builtins.object cannot be compared: give numbers, texts"),
        ({1, 2}, "builtins.set cannot be compared"),
        ({"a": [lambda: 1]}, "builtins.function cannot be compared"),
    ],
)
def test_what_cannot_be_kept_is_said(value: object, words: str) -> None:
    with pytest.raises(values.ValueTypeError, match=words):
        list(values.leaves(value))
