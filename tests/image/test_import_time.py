"""TensorFlow's .pyc files are there and used: a fresh container imports in under half the time."""

import pytest

from tests.image.conftest import RunInImage

TIMED = """
import sys, time
sys.dont_write_bytecode = True
start = time.perf_counter()
import tensorflow
print(time.perf_counter() - start)
"""
# What a container does whose image has no .pyc: compile all that it imports, each time.
WITHOUT_PYC = "import sys; sys.pycache_prefix = '/nowhere'\n"
ROUNDS = 2


@pytest.mark.alone
@pytest.mark.parametrize("read_only", [False, True])
def test_import_takes_less_than_half(run_in_image: RunInImage, *, read_only: bool) -> None:
    def seconds(program: str) -> float:
        done = run_in_image(["python", "-c", program], settings={"read_only": read_only})
        assert done.exit_code == 0, done.stderr
        return float(done.stdout)

    # In turn, and the best of each: the machine's other work slows both.
    pairs = [(seconds(TIMED), seconds(WITHOUT_PYC + TIMED)) for _ in range(ROUNDS)]
    with_pyc, without = (min(times) for times in zip(*pairs, strict=True))
    assert with_pyc < without / 2, f"{with_pyc:.2f} s with .pyc, {without:.2f} s without"
