"""Modules that name things have a `random` of their own, which draws from the system."""

from pathlib import Path

import pytest

from tests.unit.runtime.conftest import Interpreter

SEEDED_42 = "0.6394267984578837"
# As the table's modules are written, with what they do as they are imported.
HAIKUNATOR = """
import random
from random import Random, choice, getrandbits as bits
import random as again
AT_IMPORT = random.random()
OWN = Random()

def names():
    import random as late
    return [AT_IMPORT, OWN.random(), bits(64), choice(range(10**9)), again.random(), late.random(),
            late.Random().getrandbits(64), random.Random(None).gauss(0, 1),
            OWN.sample(range(99), 9)]

def seeded():
    OWN.seed(5)
    generator = Random(5)
    return OWN.random(), generator.random(), generator.getrandbits(9), generator.sample(range(9), 3)

def sees(name):
    return eval(name), len
"""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Return a folder with a library of the table's."""
    (tmp_path / "lib/haikunator").mkdir(parents=True)
    (tmp_path / "lib/haikunator/__init__.py").write_text("")
    (tmp_path / "lib/haikunator/haikunator.py").write_text(HAIKUNATOR)
    return tmp_path / "lib"


def test_its_names_are_new_in_every_run_and_move_nothing(
    python: Interpreter, library: Path
) -> None:
    code = "import haikunator.haikunator as h, random; print(*h.names(), random.random(), sep='|')"
    one, two = (python("-c", code, after=[library]).stdout.strip().split("|") for _ in range(2))
    assert one[-1] == two[-1] == SEEDED_42
    assert len(one) == 10
    assert not set(one[:-1]) & set(two[:-1])


def test_without_its_row_they_are_the_same(python: Interpreter, library: Path) -> None:
    code = (
        "from tf_repro import hooks; hooks._armed.pop('haikunator.haikunator'); "
        "import haikunator.haikunator as h, random; print(*h.names(), random.random(), sep='|')"
    )
    one, two = (python("-c", code, after=[library]).stdout for _ in range(2))
    assert one == two
    assert not one.endswith(f"|{SEEDED_42}\n")


def test_who_gives_a_seed_gets_what_anybody_gets(python: Interpreter, library: Path) -> None:
    code = """
import haikunator.haikunator as h, random
g = random.Random(5)
first = random.Random(5).random()
assert h.seeded() == (first, g.random(), g.getrandbits(9), g.sample(range(9), 3)), h.seeded()
assert isinstance(h.OWN, random.Random)
"""
    assert python("-c", code, after=[library]).stderr == ""


def test_it_sees_the_builtins_as_they_are(python: Interpreter, library: Path) -> None:
    code = """
import builtins, haikunator.haikunator as h
builtins.put_there_later, builtins.len = 7, max
assert h.sees("put_there_later") == (7, max)
try: h.sees("not_there")
except NameError as error: assert str(error) == "name 'not_there' is not defined", error
"""
    assert python("-c", code, after=[library]).stderr == ""


def test_one_that_was_imported_before_us(python: Interpreter, library: Path) -> None:
    code = """
import haikunator.haikunator as h, random, tf_repro
tf_repro.setup_reproducibility()
print(h.bits(64), h.choice(range(10**9)), h.Random().random(), h.random.random(), random.random())
"""
    one, two = (python("-S", "-c", code, after=[library]).stdout.split() for _ in range(2))
    assert one[-1] == two[-1] == SEEDED_42
    assert not set(one[:-1]) & set(two[:-1])


def test_a_module_that_never_draws_does_not_import_random(python: Interpreter) -> None:
    heavy = "random", "typing", "functools", "re"
    code = f"import sys, uuid; uuid.uuid4(); print(sorted({{*{heavy}}} & {{*sys.modules}}))"
    assert python("-c", code).stdout == python("-S", "-c", code).stdout
